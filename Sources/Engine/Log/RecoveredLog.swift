import Bytes
import Storage

/// What a walk over a whole log leaves to go on with.
struct RecoveredLog {
    var shard: UInt16
    /// The segments in their order, without one that was being created when the crash came.
    var headers: [SegmentHeader]
    var tail: LogTail?
    /// Files of segments that were being replaced when a crash came.
    var leftovers: [ByteString]
    var report: RecoveryReport

    /// Reads the whole log and shows each record to `visit`, with the segment it lies in.
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
