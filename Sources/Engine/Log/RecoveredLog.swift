import Bytes
import Storage

/// The result of a walk over a whole log, with which the log continues.
struct RecoveredLog {
    var shard: UInt16
    /// The segments in order, without one that was not completely created.
    var headers: [SegmentHeader]
    var tail: LogTail?
    /// Replacement files of segments, left by a crash.
    var leftovers: [ByteString]
    var report: RecoveryReport

    /// Reads the whole log and passes each record to `visit`, with its segment.
    init<H: Hooks>(
        _ storage: any Storage, shard: UInt16, policy: DamagePolicy, damagedTail: DamagedTailPolicy = .refuse,
        hooks: H, visiting visit: (Frame, SegmentName) throws(EngineError) -> Void
    ) throws(EngineError) {
        var walk = try LogWalk(
            storage: storage, shard: shard, policy: policy, damagedTail: damagedTail, hooks: hooks)
        while let frame = try walk.next() { try visit(frame, walk.segment) }
        self.shard = shard
        headers = walk.headers
        tail = walk.tail
        leftovers = walk.leftovers
        report = walk.report
    }

    /// A log that does not exist yet.
    init(shard: UInt16) {
        self.shard = shard
        headers = []
        leftovers = []
        report = RecoveryReport()
    }
}
