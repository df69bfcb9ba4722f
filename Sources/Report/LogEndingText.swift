import Bytes
import Engine

/// Descriptions of the end of a log.
extension LogEnding {
    /// One word, for programs.
    public var name: String {
        switch self {
        case .closed: "closed"
        case .open: "open"
        case .blank: "blank"
        case .cutShort: "cutShort"
        case .torn: "torn"
        case .undecidable: "undecidable"
        case .damaged: "damaged"
        }
    }
}

extension RecoveryReport {
    /// Why records may be missing from the end of the log, one sentence a line; empty if none can be.
    public var warnings: [String] {
        let place = tornTail.map { " in \($0.segment) at byte \($0.offsetBytes): \($0.reason)" } ?? ""
        let behind = ending.recordsBehind == 0 ? [] : [Self.behind(ending.recordsBehind)]
        switch ending {
        case .closed, .open:
            guard lastVersion == 1 else { return [] }
            return [
                "this log is of version 1, which cannot show that records are missing from its end; the next write goes on "
                    + "in a segment of this version, which can"
            ]
        case .blank:
            return [
                "the last segment holds nothing, not even its header: a crash came while it was created, or what it held "
                    + "is lost"
            ]
        case .cutShort:
            return [
                "behind the last record, \(lastLSN), there is neither the mark of a close nor the space that was reserved",
                "a crash came while the log was being opened or closed or its next segment begun, or its end is lost",
            ]
        case .torn:
            return ["torn tail\(place)"] + behind + [
                "nothing shows that what is missing was durable: a crash leaves this, and so does damage to what was synced last"
            ]
        case .undecidable:
            return ["torn tail\(place)"] + behind + [
                "this log is of version 1, which cannot tell a crash from damage: what is missing may have been acknowledged"
            ]
        case .damaged(let proof, _):
            return ["damaged tail\(place)"] + behind + ["this is damage, and no torn tail: \(proof)"]
        }
    }

    private static func behind(_ count: Int) -> String {
        "\(count.counted("whole record")) \(count == 1 ? "stands" : "stand") behind it"
    }
}
