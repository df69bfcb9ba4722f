/// How a log ends, and what its end says about what may be missing behind it.
public enum LogEnding: Hashable, Sendable {
    /// The log was closed: everything that was ever written to it was durable, and is here.
    case closed
    /// Reserved space follows the last record: a writer has the log open, or has ended without closing it.
    case open
    /// The last segment holds nothing, not even its header. A crash came while it was created, or what it held is gone.
    case blank
    /// The mark of a close is missing, and so is space that was reserved. A crash came while the log was being opened or closed
    /// or the next segment begun, or the file was cut short, or its end was overwritten with zeros.
    case cutShort
    /// What follows the last record is no record. A crash leaves that, and `recordsBehind` whole records behind it that had
    /// not been synced; so does damage to what was synced last before the log was left without closing it.
    case torn(recordsBehind: Int)
    /// As `torn`, in a segment of version 1, whose records do not know how far the log was durable: whatever follows the last
    /// one may have been acknowledged. A writer sets it aside.
    case undecidable(recordsBehind: Int)
    /// Damage, and no torn tail: records are missing that were durable.
    case damaged(DurabilityProof, recordsBehind: Int)

    /// Whether nothing can be missing that was acknowledged, as far as a log can know: a lying disk leaves no trace.
    public var isCertain: Bool { self == .closed || self == .open }

    /// How many whole records stand behind the last one that counts.
    public var recordsBehind: Int {
        switch self {
        case .closed, .open, .blank, .cutShort: 0
        case .torn(let count), .undecidable(let count), .damaged(_, let count): count
        }
    }
}

/// Why something that is missing from the end of a log was durable once.
public enum DurabilityProof: Hashable, Sendable {
    /// The record at `offsetBytes` was appended when everything up to `durableLSN` was durable, and that includes what is
    /// missing.
    case laterRecord(LSN, offsetBytes: UInt64, durableLSN: LSN)
    /// The log was closed behind what is missing, by the mark at `offsetBytes`.
    case close(offsetBytes: UInt64)
    /// The record at `offsetBytes` has a lower number than the one `expected` before it. Numbers rise from place to place, and
    /// what a writer drops is gone before it writes again: so either number is wrong.
    case lowerNumber(LSN, offsetBytes: UInt64, expected: LSN)
    /// The segment has lost its header, which was durable before anything followed it; and something did.
    case lostHeader
}

extension DurabilityProof: CustomStringConvertible {
    public var description: String {
        switch self {
        case .laterRecord(let lsn, let offset, let durable):
            "\(lsn) at \(offset) was written when everything up to \(durable) was durable"
        case .close(let offset): "the log was closed at \(offset), when everything before that was durable"
        case .lowerNumber(let lsn, let offset, let expected):
            "\(lsn) at \(offset) stands behind the place of \(expected), and numbers only rise"
        case .lostHeader: "a segment's header is durable before anything follows it"
        }
    }
}
