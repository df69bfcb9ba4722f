/// An error in an oracle or a dump. Lines and columns count from 1.
public enum OracleError: Error, Hashable, Sendable {
    /// A syntax error.
    case syntax(line: Int, column: Int, expected: String, found: String)
    /// The line ends too early: the sign of a torn write.
    case truncated(line: Int, column: Int, expected: String)
    /// The line's `seq` violates a sequence rule.
    case sequence(line: Int, seq: UInt64, rule: String)
    /// An answer differs from its begin line.
    case answerDiffers(line: Int, seq: UInt64, field: String)
    /// The line is well-formed but has no valid meaning.
    case meaning(line: Int, reason: String)

    public var line: Int {
        switch self {
        case .syntax(let line, _, _, _), .truncated(let line, _, _), .sequence(let line, _, _),
            .answerDiffers(let line, _, _), .meaning(let line, _):
            line
        }
    }
}

extension OracleError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .syntax(let line, let column, let expected, let found):
            "line \(line), column \(column): expected \(expected), found \(found)"
        case .truncated(let line, let column, let expected):
            "line \(line), column \(column): expected \(expected), found the end of the line"
        case .sequence(let line, let seq, let rule): "line \(line): seq \(seq): \(rule)"
        case .answerDiffers(let line, let seq, let field):
            "line \(line): seq \(seq): the answer's \(field) differs from its begin line"
        case .meaning(let line, let reason): "line \(line): \(reason)"
        }
    }
}

extension OracleError {
    /// The same error, with the field's name added.
    func inField(named name: StaticString) -> OracleError {
        switch self {
        case .syntax(let line, let column, let expected, let found):
            return .syntax(line: line, column: column, expected: "\(expected) in the field \(name)", found: found)
        case .truncated(let line, let column, let expected):
            return .truncated(line: line, column: column, expected: "\(expected) in the field \(name)")
        case .sequence, .answerDiffers, .meaning: return self
        }
    }
}
