import Bytes
import Storage

/// Reads the records of a log one after the other, in bounded memory, beside its writer or without one.
///
/// Without a writer (`LogReader.open`), or beside a writer in another process, it takes no lock, changes nothing, and
/// reads the longest valid prefix of what the segments that existed at first hold when it gets there. Beside a writer
/// that may include records which a crash can still take back.
///
/// Not safe to use from several threads at once; every thread can have its own.
public struct LogReader: ~Copyable {
    private var walk: LogWalk<NoHooks>
    private let first: LSN
    private let last: UInt64?
    private var hasEnded = false

    /// Reads the log in a directory from `first` on; an LSN that was truncated away means from the beginning.
    public static func open(
        storage: some Storage, shard: UInt16 = 0, from first: LSN = .none, damagePolicy: DamagePolicy = .refuse
    ) throws(EngineError) -> LogReader {
        try LogReader(storage, shard: shard, from: first, through: nil, policy: damagePolicy)
    }

    package init(
        _ storage: any Storage, shard: UInt16, from first: LSN, through last: UInt64?, policy: DamagePolicy
    ) throws(EngineError) {
        walk = try LogWalk(storage: storage, shard: shard, policy: policy, hooks: NoHooks(), from: first)
        self.first = first
        self.last = last
    }

    /// The next record; nil at the end. Parts of a batch come before their commit.
    public mutating func next() throws(EngineError) -> LogRecord? {
        while !hasEnded {
            guard let frame = try walk.next(), frame.lsn <= last ?? .max else { break }
            // What follows the last one may be half written.
            hasEnded = frame.lsn == last
            if frame.lsn >= first.rawValue { return LogRecord(frame) }
        }
        hasEnded = true
        return nil
    }

    /// What was read and given up. Complete when `next` has returned nil.
    public var report: RecoveryReport { walk.report }
}
