import Machine
import Scenarios

/// The actions of a cleanup or dry run, one a line.
package struct CleanupReport {
    private let actions: [Cleanup.Action]
    private let isDryRun: Bool

    package init(_ actions: [Cleanup.Action], isDryRun: Bool) {
        self.actions = actions
        self.isDryRun = isDryRun
    }

    package func text(for terminal: Terminal) -> String {
        guard !actions.isEmpty else { return "nothing to clean up\n" }
        var table = Table([.init(""), .init(""), .init("")])
        for action in actions {
            let (word, reason) = words(action.outcome)
            table.add([word, .init(action.subject.description), .init(reason)])
        }
        return table.text(for: terminal)
    }

    private func words(_ outcome: Cleanup.Action.Outcome) -> (Table.Cell, reason: String) {
        func done(_ was: String, _ would: String) -> Table.Cell { .init(isDryRun ? would : was, .good) }
        return switch outcome {
        case .unmounted: (done("unmounted", "would unmount"), "")
        case .removed: (done("removed", "would remove"), "")
        case .ended: (done("killed", "would kill"), "a killed run left it")
        case .markedInterrupted: (done("marked as interrupted", "would mark as interrupted"), "")
        case .leftAlone(let reason): (.init("left alone", .faint), reason)
        case .failed(let reason): (.init("failed", .bad), reason)
        }
    }
}
