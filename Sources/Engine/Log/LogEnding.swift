/// How a log ends, and whether records may be missing at its end.
public enum LogEnding: Hashable, Sendable {
    /// The log was closed: every record was durable and is present.
    case closed
    /// Reserved space follows the last record: a writer has the log open, or exited without closing it.
    case open
    /// The last segment is empty, without a header. A crash came while it was created, or its content was lost.
    case blank
    /// There is no close mark, and the file is shorter than the reserved space. A crash came while the log was opened or
    /// closed or the next segment begun, or the file was truncated, or its end was overwritten with zeros.
    case cutShort
    /// The bytes after the last record are not a record, and `recordsBehind` whole unsynced records follow. A crash can cause
    /// this; so can damage to the last synced records of a log that was not closed.
    case torn(recordsBehind: Int)
    /// As `torn`, in a segment of version 1, whose records have no unsynced count. The bytes after the last record may have
    /// been acknowledged. A writer sets them aside.
    case undecidable(recordsBehind: Int)
    /// Damage, not a torn tail: durable records are missing.
    case damaged(DurabilityProof, recordsBehind: Int)

    /// Whether no acknowledged record can be missing, unless the disk lied about a sync.
    public var isCertain: Bool { self == .closed || self == .open }

    /// The number of whole records after the last valid one.
    public var recordsBehind: Int {
        switch self {
        case .closed, .open, .blank, .cutShort: 0
        case .torn(let count), .undecidable(let count), .damaged(_, let count): count
        }
    }
}

/// The proof that a record missing from the end of a log was durable.
public enum DurabilityProof: Hashable, Sendable {
    /// The record at `offsetBytes` was appended when everything up to `durableLSN`, including the missing record, was durable.
    case laterRecord(LSN, offsetBytes: UInt64, durableLSN: LSN)
    /// The log was closed after the missing record, by the mark at `offsetBytes`.
    case close(offsetBytes: UInt64)
    /// The record at `offsetBytes` has a lower LSN than the one `expected` before it. LSNs rise with the offset, and dropped
    /// records are removed before new ones are written. So one of the LSNs is wrong.
    case lowerNumber(LSN, offsetBytes: UInt64, expected: LSN)
    /// The header of a nonempty segment is missing, although it was durable before any record was written.
    case lostHeader
}

extension DurabilityProof: CustomStringConvertible {
    public var description: String {
        switch self {
        case .laterRecord(let lsn, let offset, let durable):
            "\(lsn) at \(offset) was written when everything up to \(durable) was durable"
        case .close(let offset): "the log was closed at \(offset), when everything before that was durable"
        case .lowerNumber(let lsn, let offset, let expected):
            "\(lsn) at \(offset) follows the place of \(expected), but LSNs only rise"
        case .lostHeader: "the header of a segment is durable before any record follows it"
        }
    }
}
