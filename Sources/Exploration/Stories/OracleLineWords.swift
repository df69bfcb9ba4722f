import Bytes
import Oracle

/// A line of the oracle, told: `oracle line 2: put k32, 1026 bytes: acknowledged`.
package struct OracleLineWords: Hashable, Sendable {
    package let text: String
    /// What the line says of the operation that it is about.
    package let fate: CrashStory.Fate

    /// - Parameter line: without its newline. One that is no line of an oracle is shown as it is.
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
        let deed =
            switch operation.action {
            case .put(let payload): "put \(operation.key), \(payload.count.counted("byte"))"
            case .delete: "delete \(operation.key)"
            }
        let answer: String
        (answer, fate) =
            switch parsed {
            case .acknowledged: ("acknowledged", .promised)
            case .failed: ("refused", .refused)
            default: ("asked for", .asked)
            }
        text = "\(head): \(deed): \(answer)"
    }
}
