import Foundation
import Litmus

/// Litmus × filesystem: how many trees the profile allows, how many of them were seen, and what was seen besides.
struct OutcomeTable {
    private var cells: [String: [RealFilesystem: String]] = [:]
    private var finished: Set<RealFilesystem> = []

    mutating func enter(_ script: String, _ filesystem: RealFilesystem, allowed: Set<String>, seen: [String: String]) {
        let forbidden = seen.keys.filter { !allowed.contains($0) }.count
        cells[script, default: [:]][filesystem] =
            "\(seen.count - forbidden)/\(allowed.count)" + (forbidden > 0 ? " +\(forbidden) FORBIDDEN" : "")
    }

    /// Prints the table when every filesystem is through.
    mutating func finish(_ filesystem: RealFilesystem, _ scripts: [LitmusScript]) {
        finished.insert(filesystem)
        guard finished.count == RealFilesystem.allCases.count else { return }
        var lines = [row("seen/allowed", RealFilesystem.allCases.map(\.rawValue))]
        for script in scripts {
            let reason = LitmusExecutor.isImpossible(script) ? "not on a disk" : "–"
            lines.append(row(script.name, RealFilesystem.allCases.map { cells[script.name]?[$0] ?? reason }))
        }
        print(lines.joined(separator: "\n"))
    }

    private func row(_ name: String, _ columns: [String]) -> String {
        "| "
            + ([name] + columns).enumerated().map { index, text in
                text.padding(toLength: max(text.count, index == 0 ? 44 : 21), withPad: " ", startingAt: 0)
            }.joined(separator: " | ") + " |"
    }
}
