/// The result of a compaction.
public struct CompactionReport: Hashable, Sendable {
    /// The number of live keys.
    public var liveKeys = 0
    /// The number and size of written records. In place, live records after the compacted segments are not written again.
    public var recordsWritten = 0
    public var bytesWritten = 0
    /// In place: the number of removed segments.
    public var segmentsRemoved = 0
}
