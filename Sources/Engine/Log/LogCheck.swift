import Bytes
import Storage

/// Reads everything in the segments of a shard and says what is wrong with it. It takes no lock and changes nothing.
public struct LogCheck: Hashable, Sendable {
    /// What recovery would keep and drop. After damage it tells of what lies before.
    public private(set) var report = RecoveryReport()
    /// The first thing that no crash explains. Recovery refuses the log for it; what is behind it in the last segment it
    /// sets aside if it is told to (`LogOptions.damagedTail`).
    public private(set) var damage: Damage?
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
        var walk = try LogWalk(storage: storage, shard: shard, policy: .refuse, hooks: NoHooks())
        var ending: LogEnding?
        do throws(EngineError) {
            while let frame = try walk.next() { counts[frame.type, default: 0] += 1 }
        } catch {
            switch error {
            case .damaged(let found): damage = found
            case .damagedTail(let found, let proof):
                damage = found
                ending = .damaged(proof, recordsBehind: 0)
            default: throw error
            }
        }
        report = walk.report
        if let ending { report.ending = ending }
        if case .damaged = report.ending { damage = damage ?? report.tornTail }
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
        for name in names where SegmentName(name)?.shard == shard {
            sizeBytes += try throughStorage { () throws(StorageError) in
                try storage.openForReading(name).length()
            }
        }
    }
}
