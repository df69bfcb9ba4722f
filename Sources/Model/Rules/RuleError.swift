import Bytes

/// Why a line is not a rule: the position of the error and what was expected there.
public struct RuleError: Error, Hashable, Sendable {
    /// The line as given.
    public var line: ByteString
    /// From 1.
    public var lineNumber: Int
    /// In bytes, from 1. One past the end if the line ends too early.
    public var columnBytes: Int
    public var expected: String
    /// The word found instead; nil at the end of the line.
    public var found: ByteString?
}

extension RuleError: CustomStringConvertible {
    /// Three lines: the reason, the line, and a caret below the error.
    public var description: String {
        let found = found.map { $0.isEmpty ? "found nothing" : "found '\($0)'" } ?? "the line ends"
        let (text, caret) = shown
        return """
            line \(lineNumber), column \(columnBytes): expected \(expected), \(found)
              \(text)
              \(String(repeating: " ", count: caret))^
            """
    }

    /// The line in printable characters, and the number of characters before the error.
    private var shown: (text: String, caret: Int) {
        let position = Swift.min(columnBytes - 1, line.count)
        func text(_ bytes: ArraySlice<UInt8>) -> String {
            bytes.map { byte in
                switch byte {
                case 0x20...0x7E: String(Unicode.Scalar(byte))
                case 0x09: " "
                default: ByteString([byte]).description
                }
            }.joined()
        }
        return (text(line.bytes[...]), text(line.bytes[..<position]).count)
    }
}
