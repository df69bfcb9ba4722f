/// What a piece of text means to the reader; how that looks is the terminal's matter.
package enum Style: Hashable, Sendable {
    case plain
    case heading
    case good
    case bad
    case doubtful
    /// Of less interest.
    case faint

    /// `text` as it looks on `terminal`.
    package func shown(_ text: String, on terminal: Terminal) -> String {
        guard terminal.usesColour, let code, !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// Select Graphic Rendition (ECMA-48).
    private var code: String? {
        switch self {
        case .plain: nil
        case .heading: "1"
        case .good: "32"
        case .bad: "1;31"
        case .doubtful: "33"
        case .faint: "2"
        }
    }
}
