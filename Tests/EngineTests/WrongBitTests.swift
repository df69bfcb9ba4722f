import Bytes
import Model
import Storage
import Testing

@testable import Engine

/// Random logs with one flipped bit each: no record is lost that a later record proves durable.
@Suite struct WrongBitTests {
    /// A random log, and what it knows of itself.
    private struct RandomLog {
        var contents: [ByteString: [UInt8]] = [:]
        var items: [ByteString: [UInt8]] = [:]
        /// Everything up to here was durable when something was written after it, or when the log was closed.
        var witnessedLSN: UInt64 = 0
        var lastLSN: UInt64 = 0

        init(seed: UInt64) throws {
            var random = RandomStream(seed: seed)
            let storage = MemoryStorage()
            var store = try open(storage)
            var durable: UInt64 = 0
            for step in 0..<Int.random(in: 1...40, using: &random) {
                switch Int.random(in: 0..<12, using: &random) {
                case 0..<4:
                    try store.sync()
                    durable = lastLSN
                    continue
                case 4:
                    try store.close()
                    store = try open(storage)
                    (durable, witnessedLSN) = (lastLSN, lastLSN)
                    continue
                case 5:
                    try store.rotate()
                    // A segment is begun when everything before it is durable.
                    durable = lastLSN
                    witnessedLSN = max(witnessedLSN, try storage.contents().count > 1 ? lastLSN : 0)
                    continue
                case 6:
                    var batch = WriteBatch()
                    for part in 0..<3 { batch.put(Self.key(part), [UInt8(step)]) }
                    lastLSN = try store.commit(batch).rawValue
                case 7: lastLSN = try store.delete(Self.key(step)).rawValue
                default:
                    let size = Int.random(in: 0..<300, using: &random)
                    lastLSN = try store.put(Self.key(step), [UInt8](repeating: UInt8(step), count: size)).rawValue
                }
                witnessedLSN = max(witnessedLSN, durable)
                // A put may have begun a segment.
                if let last = storage.list().compactMap(SegmentName.init).max(), last.sequence > 1 {
                    let base = try store.baseLSN(of: last, in: storage)
                    (durable, witnessedLSN) = (max(durable, base - 1), max(witnessedLSN, base - 1))
                }
            }
            items = try store.dump()
            if Bool.random(using: &random) {
                try store.close()
                witnessedLSN = lastLSN
            } else {
                try store.sync()
            }
            contents = try storage.contents()
        }

        private static func key(_ number: Int) -> ByteString { ByteString("k\(number % 5)") }
    }

    private enum Outcome {
        case refused, kept
        case lost(LSN)
    }

    private func outcome(_ contents: [ByteString: [UInt8]], _ log: RandomLog) throws -> Outcome {
        let storage = try MemoryStorage(contents: contents)
        do throws(EngineError) {
            let store = try open(storage)
            return (try? store.dump()) == log.items ? .kept : .lost(store.recoveryReport.lastLSN)
        } catch {
            #expect(try storage.contents() == contents, "a refusal changes nothing")
            return .refused
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `no flipped bit silently loses a record that a later one proves durable`(_ seed: UInt64) throws {
        let log = try RandomLog(seed: seed)
        var random = RandomStream(seed: seed + 1000)
        var refusals = 0
        for name in log.contents.keys.sorted() {
            let used = log.contents[name]!.lastIndex { $0 != 0 } ?? 0
            for offset in stride(from: Int.random(in: 0..<7, using: &random), through: used, by: 7) {
                var contents = log.contents
                contents[name]![offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                switch try outcome(contents, log) {
                case .refused: refusals += 1
                case .kept: break
                case .lost(let last):
                    #expect(last.rawValue >= log.witnessedLSN, "seed \(seed), \(name) at \(offset)")
                }
                // A reader shows everything, refuses, or says that something may be missing.
                let snapshot = try? KeyValueSnapshot.open(storage: MemoryStorage(contents: contents))
                if let snapshot, snapshot.recoveryReport.ending.isCertain {
                    #expect(
                        snapshot.recoveryReport.lastLSN.rawValue == log.lastLSN, "seed \(seed), \(name) at \(offset)")
                }
            }
        }
        #expect(refusals > 0 || log.witnessedLSN == 0, "seed \(seed)")
    }
}

extension KeyValueStore {
    /// The LSN with which a segment begins.
    fileprivate func baseLSN(of name: SegmentName, in storage: MemoryStorage) throws -> UInt64 {
        var scanner = try SegmentScanner(storage.openForReading(name.fileName), hooks: NoHooks())
        guard case .frame(let frame) = try scanner.next() else { return 1 }
        return frame.lsn
    }
}
