import Bytes

/// The report of a recovery: what it read and what it dropped.
public struct RecoveryReport: Hashable, Sendable {
    public var filesScanned = 0
    /// The number of records, including those of whole batches, without segment headers.
    public var recordsReplayed = 0
    /// The segments with a torn tail. At most the last one, unless damage was skipped.
    public var segmentsWithTruncatedTail = 0
    /// How the log ends. The dropped bytes may be a torn tail or damage.
    public var ending = LogEnding.open
    /// The first dropped byte of the last segment, and why no record begins there; nil if nothing was dropped.
    public var tornTail: Damage?
    /// The number of bytes from the end of the last whole record to the last byte that is not zero.
    public var bytesDiscarded: UInt64 = 0
    /// Whether a writer copies the dropped bytes to a separate file, because they may have been acknowledged.
    public var isTailKept = false
    /// The file with the dropped bytes, if they may have been acknowledged. Recovery never reads or removes it.
    public var setAsideFile: ByteString?
    /// Damage that was skipped under `DamagePolicy.skipDamaged`.
    public var midStreamErrors: [Damage] = []
    public var lastLSN = LSN.none
    /// The format version of the last segment; nil if it has no header. A segment of version 1 cannot prove that records are
    /// missing from its end.
    public var lastVersion: UInt8?
}
