/// What recovery found, and what it gave up.
public struct RecoveryReport: Hashable, Sendable {
    public var filesScanned = 0
    /// Records of whole batches and single records; segment headers are not counted.
    public var recordsReplayed = 0
    /// Segments whose tail was no record: the trace of a crash. At most the last one, unless damage was skipped.
    public var segmentsWithTruncatedTail = 0
    /// The first byte that was dropped from the end of the last segment, and why it begins no record; nil when nothing was.
    public var tornTail: Damage?
    /// From the end of the last whole record to the last byte that was not zero.
    public var bytesDiscarded: UInt64 = 0
    /// Damage that was skipped under `DamagePolicy.skipDamaged`.
    public var midStreamErrors: [Damage] = []
    public var lastLSN = LSN.none
}
