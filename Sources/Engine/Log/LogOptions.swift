/// The options of a log.
public struct LogOptions: Hashable, Sendable {
    /// The log begins a new segment when a record would end after this size. Only a single record or batch larger than it
    /// makes a larger segment. 4 KiB to 1 GiB.
    public var segmentSizeBytes: Int
    /// How far ahead of the records a segment is filled with zeros, so that a commit only overwrites written blocks and the
    /// filesystem journals nothing. 0: only preallocate.
    public var zeroAheadBytes: Int
    /// The size of the buffer for appended records that are not yet written. A power of two, 4 KiB to 1 GiB.
    public var bufferSizeBytes: Int
    /// The policy for damage that no crash can cause.
    public var damagePolicy: DamagePolicy
    /// The policy for a damaged tail, from which durable records are missing, when the log is opened for writing.
    public var damagedTail: DamagedTailPolicy

    public init(
        segmentSizeBytes: Int = 64 << 20, zeroAheadBytes: Int = 256 << 10, bufferSizeBytes: Int = 1 << 20,
        damagePolicy: DamagePolicy = .refuse, damagedTail: DamagedTailPolicy = .refuse
    ) {
        self.segmentSizeBytes = segmentSizeBytes
        self.zeroAheadBytes = zeroAheadBytes
        self.bufferSizeBytes = bufferSizeBytes
        self.damagePolicy = damagePolicy
        self.damagedTail = damagedTail
    }

    package func validated() throws(EngineError) -> LogOptions {
        guard (4 << 10...LogLimits.segmentSizeBytes).contains(segmentSizeBytes) else {
            throw .invalidOptions("segmentSizeBytes is \(segmentSizeBytes), not within 4 KiB and 1 GiB")
        }
        guard zeroAheadBytes >= 0 else { throw .invalidOptions("zeroAheadBytes is \(zeroAheadBytes), below zero") }
        guard (4 << 10...1 << 30).contains(bufferSizeBytes), bufferSizeBytes & (bufferSizeBytes - 1) == 0 else {
            throw .invalidOptions("bufferSizeBytes is \(bufferSizeBytes), not a power of two within 4 KiB and 1 GiB")
        }
        return self
    }
}

/// The policy of recovery for damage in a sealed segment, which a crash cannot tear.
public enum DamagePolicy: Hashable, Sendable {
    /// Refuse to open.
    case refuse
    /// Continue after the damage with the next whole record, and report it.
    case skipDamaged
}

/// The policy for a damaged tail (`LogEnding.damaged`) when a log is opened for writing. A torn tail, as left by a crash, is
/// always dropped.
public enum DamagedTailPolicy: Hashable, Sendable {
    /// Refuse to open, and change nothing: `EngineError.damagedTail`.
    case refuse
    /// Durably copy everything after the last whole record to a separate file, and continue without it. The file is
    /// `RecoveryReport.setAsideFile`.
    case setAside
}
