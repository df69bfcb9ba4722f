/// What a piece of text means to the reader; how that looks is the terminal's matter.
package enum Style: CaseIterable, Hashable, Sendable {
    case plain
    case heading
    case good
    case bad
    case doubtful
    /// Of less interest.
    case faint

    /// `text`, whoever it is from, as it looks on `terminal`.
    package func shown(_ text: String, on terminal: Terminal) -> ReportLine {
        guard terminal.usesColour, let code, !text.isEmpty else { return ReportLine(text) }
        return ReportLine(text, between: Self.sequence(code), and: Self.end)
    }

    /// Every sequence that a terminal may get of this program's reports.
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
