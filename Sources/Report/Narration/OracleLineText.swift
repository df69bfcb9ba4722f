import Bytes
import Exploration
import Oracle

/// An oracle line as text: `oracle line 2: put k32, 1026 bytes: acknowledged`.
package struct OracleLineText: Hashable, Sendable {
    package let text: String
    /// The fate of the operation, according to the line.
    package let fate: CrashStory.Fate

    /// - Parameter line: without its newline. A line that does not parse is shown unchanged.
    package init(_ line: [UInt8], number: Int) {
        let head = "oracle line \(number)"
        guard let parsed = try? OracleLine.parse(line, line: number) else {
            (text, fate) = ("\(head): \(ByteString(line))", .other)
            return
        }
        guard let operation = parsed.operation else {
            (text, fate) = ("\(head): restart", .other)
            return
        }
        let request =
            switch operation.action {
            case .put(let payload): "put \(operation.key), \(payload.count.counted("byte"))"
            case .delete: "delete \(operation.key)"
            }
        let answer: String
        (answer, fate) =
            switch parsed {
            case .acknowledged: ("acknowledged", .promised)
            case .failed: ("refused", .refused)
            default: ("requested", .asked)
            }
        text = "\(head): \(request): \(answer)"
    }
}
