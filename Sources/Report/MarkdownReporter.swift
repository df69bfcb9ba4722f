import Bytes

/// Markdown for a GitHub step summary, issue or comment.
package enum MarkdownReporter: Reporter {
    package static let format = "markdown"

    package static func report(_ subject: some ReportSubject) -> [UInt8] {
        let entries = subject.entries
        var lines = [
            "### Faultline: \(subject.verdict.rawValue)", "", "| | cell | verdict | states | epochs | seconds |",
            "|---|---|---|---:|---:|---:|",
        ]
        lines += entries.map(row)
        for entry in entries where entry.outcome == .expected {
            lines += entry.known.flatMap {
                ["", "- known of \(escaped(entry.name)): \(escaped($0.reason)): \(escaped($0.story))"]
            }
        }
        lines += subject.notes.flatMap { ["", "- \(escaped($0))"] }
        for entry in entries where entry.outcome == .unexpected {
            lines += ["", "**\(escaped(entry.name))**: expected \(escaped(entry.expectation.rawValue))"]
            lines += entry.stories.enumerated().map { "\($0 + 1). \(escaped($1))" }
            if let command = entry.command { lines += ["", "    " + command.printable] }
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func row(_ entry: ReportEntry) -> String {
        var (mark, seen) = ("✅", entry.shownVerdict)
        switch entry.outcome {
        case .skipped(let reason): (mark, seen) = ("⏭", "skipped: \(reason)")
        case .unexpected: mark = "❌"
        case .expected: break
        }
        let expected = entry.outcome == .expected && entry.expectation != .pass ? " (expected)" : ""
        let cells = [
            mark, escaped(entry.name), escaped(seen) + expected, entry.states.map(String.init) ?? "",
            entry.epochs ?? "", entry.seconds.map { "\(($0 * 10).rounded() / 10)" } ?? "",
        ]
        return "| \(cells.joined(separator: " | ")) |"
    }

    /// Escapes any text as one line of plain text.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.printable {
            if "\\`*_{}[]<>|#!~&".contains(character) { escaped += "\\" }
            escaped.append(character)
        }
        return escaped
    }
}
