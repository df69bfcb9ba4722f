import Bytes
import Matrices
import Oracle
import Runs
import Targets

/// Published bugs that are found again (docs/published-bugs.md). The reason of a cell names the report; a cell that expects
/// a pass is the version or setting in which it is mended.
package struct PublishedPage: MatrixPage {
    package static let name = "published-bugs"
    private let rows: [PageRow]

    package init(_ rows: [PageRow], _ notes: [FindingNote]) { self.rows = rows }

    package var gaps: [String] {
        rows.filter { !$0.row.isAsExpected }.map { row in
            "\(row.row.name): \(row.row.expectation.rawValue) was expected, and the result is \(row.outcome)"
        }
    }

    package var text: String {
        let found = rows.filter { $0.row.expectation == .violation }
        var lines = [
            """
            # Published bugs, found again

            Bugs that others have published, in the versions that Debian and PyPI ship. Faultline is told the store and its promise, and no
            place to look at. After a bug comes the version or setting without it, where one is shipped, which passes the same run. The
            time is that of the whole run, with recording and minimising. `scripts/setup --targets published` installs the versions, and
            these commands repeat the runs and write this page:

                faultline matrix harness/matrices/published.yaml
                faultline report faultline-runs/matrix-1.jsonl --page published-bugs -o docs/published-bugs.md

            \(found.count { $0.row.isAsExpected }) of \(found.count) were found.

            | report | store | expected | result | states | time |
            |---|---|---|---|---|---|
            """
        ]
        for row in rows {
            let result = row.row.result
            lines.append(
                "| \((row.row.reason ?? "").tableCell) | \(row.target.name) \(row.settings) | "
                    + "\(row.row.expectation == .pass ? "held" : "found") | \(row.outcome.tableCell) | "
                    + "\(result?.states.checked ?? 0) | \(Int((result?.seconds ?? 0).rounded())) s |")
        }
        for row in found { lines += section(row) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ row: PageRow) -> [String] {
        var lines = [
            "", "## \(row.target.name) \(row.settings)", "", "\(row.target.description). \(row.row.reason ?? "").", "",
        ]
        lines += ["    \(row.command)", ""]
        for finding in row.findings {
            lines.append("- \(finding.check.rawValue): \((finding.account?.headline ?? finding.story).prefixOfLine)")
            if !finding.lossKinds.isEmpty { lines.append("  - lost: \(finding.lossKinds.joined(separator: "; "))") }
            for error in (finding.errors ?? []).prefix(4) { lines.append("  - the store says: \(row.shown(error))") }
        }
        return lines
    }
}
