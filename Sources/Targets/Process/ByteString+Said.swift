import Bytes

extension ByteString {
    /// A process's standard error as one line, for the end of a sentence: `first | second`, without blank lines.
    package var said: String {
        var lines: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            // Tabs of logs, and carriage returns of progress lines.
            let blanks: [UInt8] = [UInt8(ascii: "\t"), UInt8(ascii: "\r")]
            let text = String(decoding: line.map { blanks.contains($0) ? 0x20 : $0 }, as: UTF8.self).printable
            guard let first = text.firstIndex(where: { $0 != " " }), let last = text.lastIndex(where: { $0 != " " })
            else { continue }
            lines.append(String(text[first...last]))
        }
        return lines.joined(separator: " | ")
    }
}
