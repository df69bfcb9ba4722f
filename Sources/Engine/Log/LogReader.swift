import Bytes
import Storage

/// Reads the records of a log in order, in bounded memory, with or without a concurrent writer.
///
/// Without a writer in this process (`LogReader.open`) it takes no lock, changes nothing, and reads the longest valid prefix
/// of the segments that existed when it was opened. With a writer, that may include records that a crash can still lose.
///
/// Not thread safe; use one reader for each thread.
public struct LogReader: ~Copyable {
    private var walk: LogWalk<NoHooks>
    private let first: LSN
    private let last: UInt64?
    private var hasEnded = false

    /// Reads the log in a directory from `first` on; from the beginning if `first` was truncated.
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
            // The record after the last one may be partly written.
            hasEnded = frame.lsn == last
            if frame.lsn >= first.rawValue { return LogRecord(frame) }
        }
        hasEnded = true
        return nil
    }

    /// The report of what was read and dropped. Complete when `next` has returned nil.
    public var report: RecoveryReport { walk.report }
}
