/// Escapes untrusted text for display: store messages, names, keys, manifest values, case fields, command-line words.
/// All such text is printed through this extension.
///
/// Letters, digits, marks, symbols and blanks of all scripts are printed. Escaped are terminal controls (C0, C1, DEL),
/// line separators and bidirectional controls (U+2028, overrides, isolates), other invisible format characters, and
/// non-characters, as `\n`, `\r`, `\t`, `\x1b`, `\u{202e}`. Backslashes are not escaped, so that escaping is
/// idempotent: the result is for reading, not for parsing.
extension String {
    /// The text on one line, escaped.
    package var printable: String { printable(keeping: []) }

    /// The text, escaped except for line ends and tabs.
    package var printableLines: String { printable(keeping: ["\n", "\t"]) }

    /// Bytes as text: UTF-8 with line ends and tabs; anything else as a `ByteString` description.
    package init(printing bytes: [UInt8]) {
        self = String(validating: bytes, as: UTF8.self)?.printableLines ?? ByteString(bytes).description
    }

    /// - Parameters:
    ///   - kept: characters that are not escaped.
    ///   - sequences: strings that are not escaped, such as terminal styles.
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

    /// JSON text with JSON escapes for characters that are not printed. Line ends between values stay.
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

    /// Whether a line starts, after blanks, with a character that may start a CI command.
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

    /// Text for a CI log, in which no line is a command to the runner (`::error::…` and `##[…]` on GitHub).
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
    /// Whether it is a visible character or an ordinary blank.
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
