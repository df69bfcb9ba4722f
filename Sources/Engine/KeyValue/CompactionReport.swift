/// What a compaction did.
public struct CompactionReport: Hashable, Sendable {
    /// Keys that were live, each with the one value that it kept.
    public var liveKeys = 0
    /// Records that were written, and their bytes. In place, records that already lay behind the compacted segments
    /// were not written again.
    public var recordsWritten = 0
    public var bytesWritten = 0
    /// In place: segments that were removed.
    public var segmentsRemoved = 0
}
