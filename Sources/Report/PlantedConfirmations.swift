import Block
import Engine
import Oracle
import Runs

/// Which planted bugs real filesystems show, as a table in Markdown: it stands in docs/real-filesystems.md.
package struct PlantedConfirmations {
    private let filesystems: [BlockFilesystem]
    private var rows: [[String]] = []

    package init(filesystems: [BlockFilesystem]) { self.filesystems = filesystems }

    package mutating func add(_ bug: PlantedBug, _ check: Check, _ confirmations: [Confirmation]) {
        let cells = filesystems.map { filesystem in
            confirmations.first { $0.filesystem == filesystem }.map { Self.words($0.outcome) } ?? "–"
        }
        rows.append(["`\(bug.name)`", check.rawValue] + cells)
    }

    private static func words(_ outcome: Confirmation.Outcome) -> String {
        switch outcome {
        case .seen(let states, let all): "\(states) of \(all)"
        case .notSeen(let all, let explored): "none of \(all)" + (explored == nil ? "" : ", bounded by time")
        case .cannotBeSeen(let reason): "cannot be seen: \(reason)"
        }
    }

    package var text: String {
        let kernel = RunResult.Block.short(RunResult.Block.runningKernel)
        let head = ["crash states on Linux \(kernel)", "check"] + filesystems.map(\.rawValue)
        return ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}
