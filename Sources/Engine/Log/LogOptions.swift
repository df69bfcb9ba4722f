/// How a log lies on storage.
public struct LogOptions: Hashable, Sendable {
    /// A segment is closed, and the next begun, when a record would end behind this. Only a record or a batch that
    /// is larger by itself makes a larger segment. 4 KiB to 1 GiB.
    public var segmentSizeBytes: Int
    /// How far ahead of the records a segment is filled with zeros, so that a commit overwrites blocks that the
    /// filesystem has already written once and journals nothing. 0 relies on preallocation alone.
    public var zeroAheadBytes: Int
    /// Memory in which appended records wait to be written. A power of two, 4 KiB to 1 GiB.
    public var bufferSizeBytes: Int
    /// What to do about damage where no crash can have caused it.
    public var damagePolicy: DamagePolicy
    /// What to do about a damaged tail, from which durable records are missing, when the log is opened for writing.
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
            throw .invalidOptions("bufferSizeBytes is \(bufferSizeBytes), no power of two within 4 KiB and 1 GiB")
        }
        return self
    }
}

/// What recovery does about damage in a sealed segment, where a crash cannot have torn anything.
public enum DamagePolicy: Hashable, Sendable {
    /// Refuse to open.
    case refuse
    /// Go on behind the damage with the next whole record, and say so in the report.
    case skipDamaged
}

/// What opening a log for writing does about a damaged tail (`LogEnding.damaged`). A torn tail, as a crash leaves it, is
/// dropped in any case.
public enum DamagedTailPolicy: Hashable, Sendable {
    /// Refuse to open, and change nothing: `EngineError.damagedTail`.
    case refuse
    /// Copy everything behind the last whole record into a file of its own, durably, and go on without it. The file is
    /// `RecoveryReport.setAsideFile`.
    case setAside
}
