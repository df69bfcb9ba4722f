import Bytes
import Mustache

/// Untrusted text in markup: makes control characters visible and escapes HTML.
///
/// Works on Unicode scalars. Mustache's own escaping works on characters: it misses a quotation mark with a combining
/// accent, which ends an attribute.
struct HTMLText: MustacheContentType {
    static let name = "FOREIGN"

    func escapeText(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.printableLines.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
