import Bytes
import Oracle
import Scenarios

/// A matrix as the Markdown that GitHub shows for a step.
package enum GitHubSummary {
    package static func text(_ rows: [MatrixRow]) -> String {
        let verdict = MatrixRow.verdict(of: rows).rawValue
        var lines = [
            "### Faultline: \(verdict)", "", "| | cell | verdict | states | epochs | seconds |",
            "|---|---|---|---:|---:|---:|",
        ]
        for row in rows {
            let mark = row.obstacle != nil ? "⏭" : row.isMet ? "✅" : "❌"
            let seen =
                row.obstacle.map { "skipped: \($0)" } ?? row.result.map { RunReport.cell(of: $0).text } ?? "not run"
            let expected = row.isMet && row.expectation != Verdict.pass.rawValue ? " (expected)" : ""
            let seconds = row.result.map { "\(($0.seconds * 10).rounded() / 10)" } ?? ""
            let states = row.result.map { "\($0.states.checked)" } ?? ""
            let epochs = row.result?.explored?.description ?? ""
            let cells = [mark, escaped(row.name), escaped(seen) + expected, states, epochs, seconds]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        for row in rows where row.isMet {
            for finding in row.result?.findings ?? [] {
                guard let reason = finding.known else { continue }
                lines += ["", "- known of \(escaped(row.name)): \(escaped(reason)): \(escaped(finding.story))"]
            }
        }
        for line in MatrixReport.notSeen(rows) { lines += ["", "- \(escaped(line))"] }
        for row in rows where row.obstacle == nil && !row.isMet {
            lines += ["", "**\(escaped(row.name))**: expected \(escaped(row.expectation))"]
            let stories = row.result?.findings.map(\.story) ?? []
            let told = stories.isEmpty ? [row.result?.reason].compactMap(\.self) : stories
            lines += told.enumerated().map { "\($0 + 1). \(escaped($1))" }
            if let command = row.result?.command { lines += ["", "    " + command.printable] }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line of plain text, whatever is in it.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.printable {
            if "\\`*_{}[]<>|#!~&".contains(character) { escaped += "\\" }
            escaped.append(character)
        }
        return escaped
    }
}
