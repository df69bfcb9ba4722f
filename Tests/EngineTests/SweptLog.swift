import Bytes
import Storage

@testable import Engine

/// A log of twenty records in three segments, of which some were synced one by one and others together, and what it knows
/// of itself: what it held after each record, and what was durable when each of its frames was written.
struct SweptLog {
    let contents: [ByteString: [UInt8]]
    /// What the store held when each record, or the batch that it ends, was its last one.
    let states: [UInt64: [ByteString: [UInt8]]]
    let lastLSN: UInt64
    let isClosed: Bool
    private let witnesses: [Witness]

    /// A frame, and up to where everything was durable when it was written: counted here, and not read from the frame.
    private struct Witness {
        var name: SegmentName
        var range: Range<Int>
        var durableLSN: UInt64
    }

    static let names = (1...3).map { SegmentName(shard: 0, sequence: UInt32($0)) }

    init(closing isClosed: Bool) throws {
        let storage = MemoryStorage()
        let store = try KeyValueStore.open(storage: storage, options: small)
        var states: [UInt64: [ByteString: [UInt8]]] = [0: [:]]
        var (last, durable) = (UInt64(0), UInt64(0))
        // By the number of each record.
        var durableBefore: [UInt64: UInt64] = [:]
        func note(_ lsn: LSN) throws {
            for part in last + 1...lsn.rawValue { durableBefore[part] = durable }
            last = lsn.rawValue
            states[last] = try store.dump()
        }
        for number in 1...17 {
            let key = ByteString("k\(number % 6)")
            switch number {
            case 5, 13: try note(store.delete(key))
            case 9:
                var batch = WriteBatch()
                for part in 0..<3 { batch.put(ByteString("k\(part)"), [UInt8](repeating: 0x70, count: 20 * part)) }
                try note(store.commit(batch))
            default: try note(store.put(key, [UInt8](repeating: UInt8(number), count: number * 37 % 90)))
            }
            if number == 6 || number == 11 {
                try store.rotate()
                durable = last
            }
            if [1, 2, 3, 6, 10, 11, 12, 16, 17].contains(number) {
                try store.sync()
                durable = last
            }
        }
        if isClosed { try store.close() }
        (self.states, lastLSN, self.isClosed) = (states, last, isClosed)
        contents = try storage.contents()
        witnesses = try Self.names.flatMap { try Self.witnesses(in: $0, storage, durableBefore) }
    }

    private static func witnesses(
        in name: SegmentName, _ storage: MemoryStorage, _ durableBefore: [UInt64: UInt64]
    ) throws -> [Witness] {
        var scanner = try SegmentScanner(storage.openForReading(name.fileName), hooks: NoHooks())
        var found: [Witness] = []
        while case .frame(let frame) = try scanner.next() {
            let start = Int(frame.offsetBytes)
            // A segment is begun, and a log closed, when everything before is durable.
            let isRecord = frame.type != .segment && frame.type != .close
            let durable = isRecord ? durableBefore[frame.lsn]! : frame.lsn - 1
            found.append(Witness(name: name, range: start..<start + frame.sizeBytes, durableLSN: durable))
        }
        return found
    }

    /// Up to where everything was durable when the frames were written that are unchanged in `files`.
    func witnessedLSN(in files: [ByteString: [UInt8]]) -> UInt64 {
        let unchanged = witnesses.filter { witness in
            guard let bytes = files[witness.name.fileName], witness.range.upperBound <= bytes.count else {
                return false
            }
            return bytes[witness.range] == contents[witness.name.fileName]![witness.range]
        }
        return unchanged.map(\.durableLSN).max() ?? 0
    }

    /// The bytes of a segment up to its last one that is not zero.
    func used(_ name: SegmentName) -> Int { (contents[name.fileName]!.lastIndex { $0 != 0 } ?? -1) + 1 }

    /// Where the frames of a segment lie: its header, its records, and the close.
    func frames(_ name: SegmentName) -> [Range<Int>] { witnesses.filter { $0.name == name }.map(\.range) }
}
