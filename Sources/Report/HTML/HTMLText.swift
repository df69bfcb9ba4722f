import Bytes
import Mustache

/// Text of anybody in markup: what a terminal would obey is made readable, and what HTML would obey is escaped.
///
/// By Unicode scalars. Mustache's own escaping goes by characters, and a quotation mark with a combining accent is another
/// character than a quotation mark: it would end an attribute.
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
