import Bytes
import Exploration
import Matrices
import Oracle
import Runs
import Scenarios
import Targets

/// What stores do when a sync fails, by the behaviour of the filesystem (docs/fsync-failures.md).
package struct FsyncFailurePage: MatrixPage {
    package static let name = "fsync-failures"
    private let rows: [PageRow]
    private let notes: [FindingNote]

    package init(_ rows: [PageRow], _ notes: [FindingNote]) {
        self.rows = rows.filter { $0.row.scenario == .ioError }
        self.notes = notes
    }

    private static let families: [(name: FaultFamilyName, title: String)] = [
        (.fsyncEIO, "stays dirty"), (.fsyncLoseExt4, "ext4"), (.fsyncLoseXFS, "xfs"), (.fsyncLoseBtrfs, "btrfs"),
    ]

    package var gaps: [String] { rows.filter { $0.row.result == nil }.map { "\($0.row.name): not run" } }

    package var text: String {
        var lines = [
            """
            # What stores do when a sync fails

            Each store meets one failed sync, as in Rebello et al., “Can Applications Recover from fsync Failures?” (USENIX ATC 2020): the
            data stays dirty, or it is lost as on ext4, xfs or btrfs ([io-errors.md](io-errors.md) says what each does). Several places are
            tried for each. Checked are the running store, the content of storage, and the store after it is started again on the same
            machine, with what its kernel has cached. These commands repeat the runs and write this page:

                faultline matrix harness/matrices/fsync-failures.yaml
                faultline report faultline-runs/matrix-1.jsonl --page fsync-failures \\
                    --notes harness/matrices/fsync-failures.notes.yaml -o docs/fsync-failures.md

            | word | means |
            |---|---|
            | refuses | the store reports the failure, and nothing that it acknowledged is lost |
            | survives | it goes on, and nothing is lost |
            | loses | an acknowledged write is lost |
            | corrupts | it does not open any more, or shows something that was never written |
            | stops | it takes no write after the fault is gone |
            | – | not reached within the budget of the run |

            | store | settings | \(Self.families.map(\.title).joined(separator: " | ")) | the paper of 2020 |
            |---|---|\(Self.families.map { _ in "---|" }.joined())---|
            """
        ]
        for row in rows {
            let cells = Self.families.map { word(row, $0.name) }
            let paper = notes.first { $0.target == row.target.name && $0.check == nil }?.reason ?? ""
            lines.append(
                "| \(row.target.name) | \(row.settings) | \(cells.joined(separator: " | ")) | \(paper.tableCell) |")
        }
        lines += ["", "## The findings", "", "A finding without a cause was not looked at yet.", ""]
        for row in rows where !row.findings.isEmpty {
            lines += ["### \(row.target.name) \(row.settings)", ""]
            for finding in row.findings {
                let family = finding.cause?.fault?.rawValue ?? ""
                lines.append(
                    "- \(family), \(finding.check.rawValue): \((finding.account?.headline ?? finding.story).prefixOfLine)"
                )
                guard let note = notes.first(where: { $0.check != nil && $0.covers(finding, of: row.target.name) })
                else {
                    continue
                }
                lines.append("  - cause: \(note.reason)\(note.source.map { " ([source](\($0)))" } ?? "")")
            }
            lines += ["", "      \(row.command)", ""]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func word(_ row: PageRow, _ family: FaultFamilyName) -> String {
        let reports = (row.row.result?.faults ?? []).filter { $0.family == family }
        let checks = row.findings.filter { $0.cause?.fault == family }.map(\.check)
        var words: [String] = []
        func add(_ word: String, _ isSeen: Bool) { if isSeen, !words.contains(word) { words.append(word) } }
        let corruptions: [Check] = [
            .opens, .perKeyPrefix, .payloadIntegrity, .noExtras, .consistent, .idempotent, .atomic,
        ]
        add("**corrupts**", checks.contains(where: corruptions.contains))
        add("**loses**", checks.contains { [.durable, .noResurrection, .noHoles].contains($0) })
        add("**stops**", checks.contains(.writable))
        add("**fails**", words.isEmpty && reports.contains { $0.outcome == .violation })
        if words.isEmpty {
            add("refuses", reports.contains { $0.outcome == .refused })
            add("survives", reports.contains { $0.outcome == .survived })
        }
        return words.isEmpty ? "–" : words.joined(separator: ", ")
    }
}
