import Bytes
import Model

/// An event of a trace, as a line of text or a JSON object.
package struct TraceLine: Hashable, Sendable {
    /// The crash point right after the event.
    package var point: Int
    package var operation: UInt64?
    /// write, create, fsync, …
    package var what: String
    package var path: ByteString?
    package var offsetBytes: UInt64?
    package var countBytes: UInt64?
    package var sizeBytes: UInt64?
    package var errno: Int32?
    package var process: Int32?
    package var origin = Operation.Origin.call
    /// Whether the operation had not returned when it was recorded.
    package var isInFlight = false
    package var detail: String?
    /// The new name of a rename, or the existing name of a link.
    package var otherPath: ByteString?
    /// For an oracle line: its number in the trace, from 1.
    package var oracleNumber = 0
    /// The data of a write or an oracle line.
    package var data: Payload?

    package init(point: Int, what: String) {
        self.point = point
        self.what = what
    }

    /// The event without process and time: equal for two runs of the same workload.
    package var summary: String {
        var parts = [what]
        if let path { parts.append(path.description) }
        if let offsetBytes, let countBytes { parts.append("[\(offsetBytes), +\(countBytes))") }
        if let sizeBytes { parts.append("to \(sizeBytes)") }
        if let relation { parts.append(relation) }
        if let detail { parts.append(detail) }
        if let errno, errno != 0 { parts.append("errno \(errno)") }
        if isInFlight { parts.append("(in flight)") }
        return parts.joined(separator: " ")
    }

    /// `-> /new` or `= /old`: the relation of `otherPath` to the path.
    private var relation: String? { otherPath.map { "\(relationSign) \($0)" } }

    /// The sign between the path and `otherPath`.
    var relationSign: String { what == "link" ? "=" : "->" }

    /// A line of text: crash point, operation id, event. `oracleLine` is the text of an oracle line, which is shown as in a
    /// story.
    package func text(oracleLine: ByteString?) -> String {
        let number = operation.map { "\(OperationID($0))" } ?? ""
        let said = oracleLine.map { OracleLineText($0.bytes, number: oracleNumber).text } ?? summary + originText
        return
            "\(Self.padded("\(point)", 7, fromLeft: true))  \(Self.padded(number, 9, fromLeft: false))  \(said)"
    }

    private var originText: String {
        switch origin {
        case .call: ""
        case .sameCall: " (further piece of the previous write)"
        case .writeback: " (written back by the kernel)"
        }
    }

    private static func padded(_ text: String, _ width: Int, fromLeft: Bool) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.utf8.count))
        return fromLeft ? blanks + text : text + blanks
    }
}

extension TraceLine: Encodable {
    private enum Key: String, CodingKey {
        case point, op, what, path, offsetBytes, countBytes, sizeBytes, errno, pid, origin, inFlight, detail
    }

    /// Paths and details are encoded as ByteString prints them: readable and lossless.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(point, forKey: .point)
        try fields.encodeIfPresent(operation, forKey: .op)
        try fields.encode(what, forKey: .what)
        try fields.encodeIfPresent(path?.description, forKey: .path)
        try fields.encodeIfPresent(offsetBytes, forKey: .offsetBytes)
        try fields.encodeIfPresent(countBytes, forKey: .countBytes)
        try fields.encodeIfPresent(sizeBytes, forKey: .sizeBytes)
        try fields.encodeIfPresent(errno, forKey: .errno)
        try fields.encodeIfPresent(process, forKey: .pid)
        switch origin {
        case .call: break
        case .sameCall: try fields.encode("same-call", forKey: .origin)
        case .writeback: try fields.encode("writeback", forKey: .origin)
        }
        if isInFlight { try fields.encode(true, forKey: .inFlight) }
        try fields.encodeIfPresent(relation ?? detail, forKey: .detail)
    }
}
