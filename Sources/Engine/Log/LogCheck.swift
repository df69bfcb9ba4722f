import Bytes
import Storage

/// Reads everything in the segments of a shard and says what is wrong with it. It takes no lock and changes nothing.
public struct LogCheck: Hashable, Sendable {
    /// What recovery would keep and drop. After damage it tells of what lies before.
    public private(set) var report = RecoveryReport()
    /// The first thing that no crash explains; recovery refuses the log for it.
    public private(set) var damage: Damage?
    /// Whole records that stand behind the torn tail, where recovery drops them. A power cut that reordered writes can leave
    /// them, if nothing of it was acknowledged; so can damage to a record before them, which was.
    public private(set) var recordsBehindTornTail = 0
    /// How many records there are of each type.
    public private(set) var counts: [RecordType: Int] = [:]
    public private(set) var sizeBytes: UInt64 = 0

    /// The shards whose segments lie in this directory.
    public static func shards(in storage: some Storage) throws(EngineError) -> [UInt16] {
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
        return Set(names.compactMap(SegmentName.init).map(\.shard)).sorted()
    }

    /// Whether a file of this name is a segment of a log.
    public static func isSegment(_ name: ByteString) -> Bool { SegmentName(name) != nil }

    public init(storage: some Storage, shard: UInt16 = 0) throws(EngineError) {
        var walk = try LogWalk(storage: storage, shard: shard, policy: .refuse, defects: NoDefects())
        do throws(EngineError) {
            while let frame = try walk.next() { counts[frame.type, default: 0] += 1 }
        } catch {
            guard case .damaged(let found) = error else { throw error }
            damage = found
        }
        report = walk.report
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
        for name in names where SegmentName(name)?.shard == shard {
            sizeBytes += try throughStorage { () throws(StorageError) in
                try storage.openForReading(name).length()
            }
        }
        if let torn = report.tornTail { recordsBehindTornTail = try Self.records(behind: torn, in: storage) }
    }

    private static func records(behind torn: Damage, in storage: any Storage) throws(EngineError) -> Int {
        try throughStorage { () throws(StorageError) in
            var scanner = try SegmentScanner(try storage.openForReading(torn.segment), defects: NoDefects())
            scanner.move(to: torn.offsetBytes)
            var count = 0
            while try scanner.findNextFrame() {
                count += 1
                // Behind it: the search begins one byte further on.
                guard case .frame = try scanner.next() else { break }
                scanner.move(to: scanner.position - 1)
            }
            return count
        }
    }
}
