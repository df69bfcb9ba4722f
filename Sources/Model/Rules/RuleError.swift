import Bytes

/// Why a line is not a rule: where it goes wrong and what was expected there.
public struct RuleError: Error, Hashable, Sendable {
    /// The line as it was given.
    public var line: ByteString
    /// From 1.
    public var lineNumber: Int
    /// In bytes, from 1. One past the end when the line ends too early.
    public var columnBytes: Int
    public var expected: String
    /// The word that is there instead; nil at the end of the line.
    public var found: ByteString?
}

extension RuleError: CustomStringConvertible {
    /// Three lines: the reason, the line, and a caret beneath the place.
    public var description: String {
        let found = found.map { $0.isEmpty ? "found nothing" : "found '\($0)'" } ?? "the line ends"
        let (text, caret) = shown
        return """
            line \(lineNumber), column \(columnBytes): expected \(expected), \(found)
              \(text)
              \(String(repeating: " ", count: caret))^
            """
    }

    /// The line on one line of a terminal, and the number of characters before the place.
    private var shown: (text: String, caret: Int) {
        let place = Swift.min(columnBytes - 1, line.count)
        func text(_ bytes: ArraySlice<UInt8>) -> String {
            bytes.map { byte in
                switch byte {
                case 0x20...0x7E: String(Unicode.Scalar(byte))
                case 0x09: " "
                default: ByteString([byte]).description
                }
            }.joined()
        }
        return (text(line.bytes[...]), text(line.bytes[..<place]).count)
    }
}
