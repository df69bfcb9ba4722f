import Matrices
import Runs

/// How many states a second each target checks, and which step of a state takes longest: from runs of `explore`.
package struct TargetRatesPage: MatrixPage {
    package static let name = "target-rates"
    private let rows: [PageRow]

    package init(_ rows: [PageRow], _ notes: [FindingNote]) { self.rows = rows }

    package var gaps: [String] {
        rows.filter { $0.row.result?.steps == nil }.map { "\($0.row.name): no step was measured" }
    }

    package var text: String {
        let titles = ["store", "states a second", "slowest step", "its share"] + RunResult.Steps().all.map(\.name)
        let lines = [
            """
            # States a second for each target

            What a crash state costs, in milliseconds of a thread: deriving it and choosing and judging it; its files (written or served,
            compared and removed); starting the store's process or server; recovering and dumping it, twice; its own checker, if that is a
            command; and killing a server. An empty cell is less than 0.05 ms. Measured by short runs of `explore`, on a machine with other
            work. These commands repeat them and write this page:

                faultline matrix harness/matrices/target-rates.yaml
                faultline report faultline-runs/matrix-1.jsonl --page target-rates -o results/targets.md

            | \(titles.joined(separator: " | ")) |
            """,
            "|" + titles.map { _ in "---|" }.joined(),
        ]
        return (lines + rows.compactMap(line)).joined(separator: "\n") + "\n"
    }

    private func line(_ row: PageRow) -> String? {
        guard let result = row.row.result, let steps = result.steps, result.states.checked > 0 else { return nil }
        let sum = steps.all.reduce(0) { $0 + $1.seconds }
        let slowest = steps.all.max { $0.seconds < $1.seconds }
        let share = sum > 0 ? Int(((slowest?.seconds ?? 0) / sum * 100).rounded()) : 0
        let each = steps.all.map { step in milliseconds(step.seconds / Double(result.states.checked)) }
        let cells = [row.target.name, "\(Int(result.states.ratePerSecond))", slowest?.name ?? "", "\(share) %"] + each
        return "| \(cells.joined(separator: " | ")) |"
    }

    /// `0.4`, `12`, or nothing for less than 0.05 ms.
    private func milliseconds(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10_000).rounded())
        guard tenths > 0 else { return "" }
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
    }
}
