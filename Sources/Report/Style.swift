/// The meaning of a piece of text; the terminal decides its look.
package enum Style: CaseIterable, Hashable, Sendable {
    case plain
    case heading
    case good
    case bad
    case doubtful
    /// Of less interest.
    case faint

    /// `text`, which may be untrusted, in this style for `terminal`.
    package func shown(_ text: String, on terminal: Terminal) -> ReportLine {
        guard terminal.usesColour, let code, !text.isEmpty else { return ReportLine(text) }
        return ReportLine(text, between: Self.sequence(code), and: Self.end)
    }

    /// All escape sequences that reports may contain.
    package static let sequences = allCases.compactMap { $0.code.map(sequence) } + [end]

    private static let end = "\u{1B}[0m"
    private static func sequence(_ code: String) -> String { "\u{1B}[\(code)m" }

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
