/// Explores every schedule with at most so many preemptions and surprises together, without reduction (Musuvathi and Qadeer,
/// "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007).
///
/// With `countsEveryChoice` it also counts which thread goes on when the running one waits or ends: each difference from what
/// the scheduler would do by itself (Emmi, Qadeer and Rakamarić, "Delay-Bounded Scheduling", POPL 2011). Then the number of
/// schedules does not grow with that of the waits.
///
/// A preemption is a switch away from a thread that could go on; a surprise is an unusual outcome. Switches are considered
/// only before steps that touch something shared.
final class BoundedSearch: SchedulePolicy {
    private struct Option {
        var thread: Int
        var choice: Int
        var cost: Int
    }

    private struct Node {
        var options: [Option]
        var next = 0
        var costBefore: Int

        var option: Option { options[next] }
    }

    let bound: Int
    private let countsEveryChoice: Bool
    /// Whether the bound left out any schedule.
    private(set) var isBounded = false
    private var path: [Node] = []
    private var depth = 0
    private var cost = 0

    init(bound: Int, countsEveryChoice: Bool = false) {
        self.bound = bound
        self.countsEveryChoice = countsEveryChoice
    }

    func begin() {
        depth = 0
        cost = 0
    }

    /// Prepares the next schedule. False if all were explored.
    func advance() -> Bool {
        while let last = path.last {
            if last.next + 1 < last.options.count {
                path[path.count - 1].next += 1
                return true
            }
            path.removeLast()
        }
        return false
    }

    func decide(_ execution: Execution, _ enabled: ThreadSet, _ fallback: Int) -> PolicyDecision {
        if depth == path.count { path.append(node(execution, enabled, fallback)) }
        let option = path[depth].option
        guard enabled.contains(option.thread), option.choice < execution.participants[option.thread].choiceCount else {
            return .misfit("decision \(depth + 1) is not possible any more")
        }
        cost = path[depth].costBefore + option.cost
        depth += 1
        return .go(
            Decision(
                thread: option.thread, choice: option.choice, position: depth - 1,
                isDefault: option.thread == fallback && option.choice == 0))
    }

    private func node(_ execution: Execution, _ enabled: ThreadSet, _ fallback: Int) -> Node {
        let running = execution.running
        let current = execution.participants[fallback]
        // A switch before a step that touches nothing is the same as one after it. A thread that waits in a loop gives way.
        let isLocal = current.pending.accesses.isEmpty && current.pending.kind != .relax && running == fallback
        let canStay = countsEveryChoice || running == fallback && current.pending.kind != .relax
        var options: [Option] = []
        for thread in [fallback] + enabled.members.filter({ $0 != fallback }) {
            if isLocal, thread != fallback { continue }
            for choice in 0..<execution.participants[thread].choiceCount {
                let cost = (canStay && thread != fallback ? 1 : 0) + (choice > 0 ? 1 : 0)
                if self.cost + cost > bound {
                    isBounded = true
                } else {
                    options.append(Option(thread: thread, choice: choice, cost: cost))
                }
            }
        }
        return Node(options: options, costBefore: cost)
    }
}
