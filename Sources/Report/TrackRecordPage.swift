import Bytes
import Matrices
import Oracle
import Runs
import Targets

/// What each store promises, what was checked, and what was found (docs/track-record.md).
package struct TrackRecordPage: MatrixPage {
    package static let name = "track-record"
    private let rows: [PageRow]
    private let notes: [FindingNote]

    package init(_ rows: [PageRow], _ notes: [FindingNote]) { (self.rows, self.notes) = (rows, notes) }

    /// A finding with the row that shows it best.
    private struct Entry {
        var finding: Finding
        var row: PageRow
        var states: Int
        var note: FindingNote?
    }

    /// The names of the targets in order.
    private var names: [String] {
        var names: [String] = []
        for row in rows where !names.contains(row.target.name) { names.append(row.target.name) }
        return names
    }

    private func entries(of name: String) -> [Entry] {
        var entries: [Entry] = []
        for row in rows where row.target.name == name {
            for finding in row.findings {
                if let known = entries.firstIndex(where: { $0.finding.isGrouped(with: finding) }) {
                    entries[known].states += finding.states
                } else {
                    let note = notes.first { $0.covers(finding, of: name) }
                    entries.append(Entry(finding: finding, row: row, states: finding.states, note: note))
                }
            }
        }
        return entries
    }

    package var gaps: [String] {
        var gaps: [String] = []
        for name in names {
            for entry in entries(of: name) where entry.note == nil && entry.finding.known == nil {
                gaps.append(
                    "\(name): \(entry.finding.check.rawValue): no note says why (\(entry.finding.lossKinds.joined(separator: ", ")))"
                )
            }
        }
        gaps += rows.filter { $0.row.result == nil }.map { "\($0.row.name): not run" }
        return gaps
    }

    package var text: String {
        let states = rows.reduce(0) { $0 + ($1.row.result?.states.checked ?? 0) }
        let seconds = rows.reduce(0) { $0 + ($1.row.result?.seconds ?? 0) }
        var lines = [
            """
            # Track record

            Stores that people run, as Debian and PyPI ship them: what each promises, what Faultline checked, and what it found. A loss
            that a store documents is no finding. What the documentation does not allow was looked at by hand, in the store's
            documentation or source; the reason stands with each. `explore`, `power-cut` and `kill` are explained in
            [scenarios.md](scenarios.md), checks in [oracle-format.md](oracle-format.md), and `ext4-ordered` and other profiles in
            [crash-model.md](crash-model.md). A finding is what the profile allows; whether a real filesystem does it, too, is said where
            it was tried.

            \(names.count) stores, \(rows.count) runs, \(states) crash states recovered, \(Int(seconds / 60)) minutes. Most runs are short
            and partial: *held* means that no checked state broke the promise. *A second* is the rate of recovered states, on a machine with
            other work. These commands repeat the runs and write this page:

                faultline matrix harness/matrices/track-record.yaml
                faultline report faultline-runs/matrix-1.jsonl --page track-record \\
                    --notes harness/matrices/track-record.notes.yaml -o docs/track-record.md

            | store | what it is | states | result |
            |---|---|---|---|
            """
        ]
        for name in names { lines.append(summary(name)) }
        for name in names { lines += section(name) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func summary(_ name: String) -> String {
        let own = rows.filter { $0.target.name == name }
        let states = own.reduce(0) { $0 + ($1.row.result?.states.checked ?? 0) }
        let entries = entries(of: name)
        func count(_ judgement: FindingNote.Judgement) -> Int { entries.count { $0.note?.judgement == judgement } }
        var words: [String] = []
        let open = entries.count { $0.note == nil && $0.finding.known == nil }
        if count(.undocumented) + open > 0 { words.append((count(.undocumented) + open).counted("finding")) }
        let documented = count(.documented) + entries.count { $0.note == nil && $0.finding.known != nil }
        if documented > 0 { words.append(documented.counted("documented loss", "documented losses")) }
        if count(.ours) > 0 { words.append(count(.ours).counted("false alarm")) }
        let others = own.filter { ![.pass, .violation].contains($0.row.result?.verdict ?? .inconclusive) }
        if !others.isEmpty { words.append("\(others.count.counted("run")) without a result") }
        let result = words.isEmpty ? "held" : words.joined(separator: ", ")
        let what = own.first?.target.description.tableCell ?? ""
        return "| [\(name)](#\(name)) | \(what) | \(states) | \(result) |"
    }

    private func section(_ name: String) -> [String] {
        let own = rows.filter { $0.target.name == name }
        guard let target = own.first?.target else { return [] }
        var lines = ["", "## \(name)", "", "\(target.description)."]
        let source = target.source.hasPrefix("http") ? "[where it says so](\(target.source))" : target.source
        lines.append("Promise: `\(target.contract.name)`\(source.isEmpty ? "" : ", \(source)").")
        lines += [
            "", "| settings | scenario | promise | states | a second | coverage | result |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in own {
            let rate = Int(row.row.result?.states.ratePerSecond ?? 0)
            lines.append(
                "| \(row.settings) | \(row.row.scenario) | \(row.row.result?.contract ?? "") | "
                    + "\(row.row.result?.states.checked ?? 0) | \(rate > 0 ? "\(rate)" : "") | \(row.coverage.tableCell) | "
                    + "\(row.outcome.tableCell) |"
            )
        }
        for (number, entry) in entries(of: name).enumerated() { lines += story(entry, number: number + 1) }
        return lines
    }

    private func story(_ entry: Entry, number: Int) -> [String] {
        let finding = entry.finding
        let headline = finding.account?.headline ?? finding.story
        var lines = ["", "**\(number). \(finding.check.rawValue)**: \(headline.prefixOfLine) (\(entry.row.settings))"]
        func add(_ title: String, _ text: String) { lines.append("- \(title): \(text.replacing("\n", with: " "))") }
        lines.append("")
        if !finding.lossKinds.isEmpty { add("lost", finding.lossKinds.joined(separator: "; ")) }
        if let error = finding.errors?.first { add("the store says", entry.row.shown(error)) }
        add(
            "seen",
            "in \(entry.states.counted("state")); the strongest profile that shows it is \(finding.strongestProfile)")
        if let fix = finding.account?.reasons.first { add("why it is possible", fix) }
        for confirmation in finding.confirmed ?? [] { add("on a real filesystem", confirmation.words) }
        if let note = entry.note {
            let title =
                switch note.judgement {
                case .documented: "documented"
                case .undocumented: "not documented"
                case .ours: "false alarm"
                }
            add(title, note.reason + (note.source.map { " ([source](\($0)))" } ?? ""))
        } else if let known = finding.known {
            add("documented", known)
        } else {
            add("not looked at yet", "nobody has held it against the store's documentation")
        }
        add("again", "`\(entry.row.command)`")
        return lines
    }
}
