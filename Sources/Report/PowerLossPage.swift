import Matrices
import Runs

/// What stores kept on devices that failed, in numbers (results/power-loss.md): nothing of the machine but its kernels.
package struct PowerLossPage: MatrixPage {
    package static let name = "power-loss"
    private let rows: [PageRow]

    package init(_ rows: [PageRow], _ notes: [FindingNote]) { self.rows = rows }

    package var gaps: [String] { rows.filter { $0.row.result == nil }.map { "\($0.row.name): not run" } }

    package var text: String {
        let matrix = "harness/matrices/power-loss-record.yaml"
        var lines = [
            """
            # Devices that fail under stores

            Each store works on a real filesystem whose device then takes no write any more (`error_writes`), or drops them and says that it
            did not (`drop_writes`; [power-loss-testing.md](../docs/power-loss-testing.md)). Every operation is acknowledged after its sync.
            These commands repeat the runs and write this page:

                faultline matrix \(matrix) --machine guest
                faultline report faultline-runs/matrix-1.jsonl --page power-loss -o results/power-loss.md

            Survived: keys that must be there, and are, with a legal value. Dropped: keys that must be there, and are gone or have an older value. Extras:
            keys that must not be there. Mismatches: values that were never written to their key. An operation may replace or delete a key,
            so that there are fewer keys than operations. The time is that of the whole run, with its virtual machine.

            | store | settings | filesystem | fault | from | operations | survived | dropped | extras | mismatches | outcome | seconds |
            |---|---|---|---|---|---|---|---|---|---|---|---|
            """
        ]
        lines += rows.flatMap { row in (row.row.result?.flakey ?? []).map { line(row, $0) } }
        lines.append(
            """
            | datawal 0.1.5 | its own harness | | `error_writes` | | 50000 | | | | | | 9 |

            The last row is for comparison: the length and the time of a run that datawal's authors publish, by their own harness, on their own machine,
            with device-mapper on the host and no virtual machine.
            """)
        let guests = Set(rows.compactMap(\.row.result?.guest).map { "Linux \($0.kernel), \($0.accelerator)" })
        if !guests.isEmpty { lines += ["", "In the guest: \(guests.sorted().joined(separator: "; "))."] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ row: PageRow, _ trial: FlakeyTrial) -> String {
        let filesystem = row.row.result?.block?.filesystemName ?? ""
        let keys = trial.keys.map { [$0.survived, $0.dropped, $0.extras, $0.mismatches].map(String.init) }
        let cells =
            [
                row.target.name, row.settings, filesystem, "`\(trial.fault.rawValue)`",
                trial.moment == .afterWorkload ? "the end" : "the middle", "\(trial.acknowledged)",
            ] + (keys ?? ["–", "–", "–", "–"]) + [
                trial.outcome.rawValue, "\(Int((row.row.result?.seconds ?? 0).rounded()))",
            ]
        return "| \(cells.map(\.tableCell).joined(separator: " | ")) |"
    }
}
