import Bytes

/// What recovery found, and what it gave up.
public struct RecoveryReport: Hashable, Sendable {
    public var filesScanned = 0
    /// Records of whole batches and single records; segment headers are not counted.
    public var recordsReplayed = 0
    /// Segments whose tail was no record: the trace of a crash. At most the last one, unless damage was skipped.
    public var segmentsWithTruncatedTail = 0
    /// How the log ends. What was dropped from it may be a crash's torn tail, or damage.
    public var ending = LogEnding.open
    /// The first byte that was dropped from the end of the last segment, and why it begins no record; nil when nothing was.
    public var tornTail: Damage?
    /// From the end of the last whole record to the last byte that was not zero.
    public var bytesDiscarded: UInt64 = 0
    /// Whether a writer keeps what it drops in a file of its own, because it may have been acknowledged.
    public var isTailKept = false
    /// The file that holds what was dropped, where that may have been acknowledged. Recovery never reads or removes it.
    public var setAsideFile: ByteString?
    /// Damage that was skipped under `DamagePolicy.skipDamaged`.
    public var midStreamErrors: [Damage] = []
    public var lastLSN = LSN.none
    /// The format version of the last segment; nil where that has no header. A segment of version 1 cannot show that records
    /// are missing from its end.
    public var lastVersion: UInt8?
}
