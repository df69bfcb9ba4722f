import Bytes
import Storage

/// Verifies all segments of a shard. It takes no lock and changes nothing.
public struct LogCheck: Hashable, Sendable {
    /// The report of a recovery. After damage it covers the records before it.
    public private(set) var report = RecoveryReport()
    /// The first damage that no crash can cause. Recovery refuses the log because of it. In the last segment, recovery can
    /// set the rest aside instead (`LogOptions.damagedTail`).
    public private(set) var damage: Damage?
    /// The number of records of each type.
    public private(set) var counts: [RecordType: Int] = [:]
    public private(set) var sizeBytes: UInt64 = 0

    /// The shards with segments in this directory.
    public static func shards(in storage: some Storage) throws(EngineError) -> [UInt16] {
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
        return Set(names.compactMap(SegmentName.init).map(\.shard)).sorted()
    }

    /// Whether this is the name of a segment.
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
