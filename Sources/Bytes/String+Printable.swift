/// The one place where foreign text is made fit to be shown: what a store says, a name, a key, a manifest's value, a field
/// of a case, a word of the command line.
///
/// Shown are letters, digits, marks, signs and blanks of any script. Escaped is what a terminal obeys (C0 and C1 controls,
/// DEL), what ends a line or changes the order in which text is read (U+2028, bidirectional overrides and isolates), what
/// cannot be seen (other format characters), and what is no character: `\n`, `\r`, `\t`, `\x1b`, `\u{202e}`. A backslash
/// stays as it is, so that escaping twice is escaping once: the result is for reading, and not to be parsed.
extension String {
    /// The text as one line.
    package var printable: String { printable(keeping: []) }

    /// The text with its line ends and tabs.
    package var printableLines: String { printable(keeping: ["\n", "\t"]) }

    /// Bytes as text: UTF-8 with its line ends and tabs, anything else as `ByteString` prints it.
    package init(printing bytes: [UInt8]) {
        self = String(validating: bytes, as: UTF8.self)?.printableLines ?? ByteString(bytes).description
    }

    /// - Parameters:
    ///   - kept: characters that are not escaped.
    ///   - sequences: what is not escaped where it stands as a whole: the styles of a terminal.
    package func printable(keeping kept: [Unicode.Scalar], sequences: [String] = []) -> String {
        if isPlain(keeping: kept) { return self }
        var text = ""
        text.reserveCapacity(utf8.count + 16)
        var rest = Substring(self).unicodeScalars
        while let scalar = rest.first {
            if scalar.value == 0x1B, let sequence = sequences.first(where: { rest.starts(with: $0.unicodeScalars) }) {
                text += sequence
                rest = rest.dropFirst(sequence.unicodeScalars.count)
                continue
            }
            if scalar.isShown || kept.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += scalar.escape
            }
            rest.removeFirst()
        }
        return text
    }

    /// Text of JSON, in which what is not shown stands as JSON escapes it. Line ends between values stay.
    package var printableJSON: String {
        if isPlain(keeping: ["\n"]) { return self }
        var text = ""
        text.reserveCapacity(utf8.count + 16)
        for scalar in unicodeScalars {
            if scalar.isShown || scalar == "\n" {
                text.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return text
    }

    /// Whether a line begins, after blanks, with a character that a command may begin with.
    private var hasLineOfMarks: Bool {
        var isAtStart = true
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\n"): isAtStart = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case UInt8(ascii: ":"), UInt8(ascii: "#"): if isAtStart { return true }
            default: isAtStart = false
            }
        }
        return false
    }

    private func isPlain(keeping kept: [Unicode.Scalar]) -> Bool {
        utf8.allSatisfy { byte in
            byte >= 0x20 && byte < 0x7F || byte < 0x20 && kept.contains { $0.value == UInt32(byte) }
        }
    }

    /// The lines of a log in CI, in which none is a command to the runner (`::error::…` and `##[…]` on GitHub).
    package var withoutRunnerCommands: String {
        guard hasLineOfMarks else { return self }
        return split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let text = line.drop { $0 == " " || $0 == "\t" }
            guard let first = text.first, text.hasPrefix("::") || text.hasPrefix("##[") else { return String(line) }
            return line[..<text.startIndex] + (first == ":" ? "\\x3a" : "\\x23") + text.dropFirst()
        }.joined(separator: "\n")
    }
}

extension Unicode.Scalar {
    /// Whether it is a character that is seen as what it is.
    fileprivate var isShown: Bool {
        if value < 0x7F { return value >= 0x20 }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: true
        }
    }

    fileprivate var escape: String {
        switch self {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(value, radix: 16)
            return value < 0x80 ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
        }
    }
}
