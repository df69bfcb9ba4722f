/// Explores at least one schedule of each class of equivalent ones, and most classes only once. Two schedules are equivalent
/// if one becomes the other by swapping adjacent independent steps.
///
/// Stateless model checking by depth-first search: each execution replays the decisions up to the last one that changes.
/// Source sets decide which threads are tried at a decision, sleep sets which schedules are given up as equivalent to an
/// earlier one (Abdulla, Aronsson, Jonsson and Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014, algorithm 1).
/// At each decision all outcomes of the chosen step are tried.
///
/// A thread that waits in a loop (`relax`) goes on only after a change by another thread, so that schedules are finite.
final class PartialOrderReduction: SchedulePolicy {
    private struct Node {
        var thread: Int
        var choice = 0
        var choiceCount = 1
        var enabled: ThreadSet
        /// The threads to try, those that were tried among them.
        var backtrack: ThreadSet
        /// The threads whose outcomes were all tried.
        var done = ThreadSet()
        /// The threads whose next step was tried before a step that is independent of it.
        var sleep: ThreadSet
        var isDefault = true
    }

    private var path: [Node] = []
    /// The number of decisions in the current execution.
    private var depth = 0
    /// Decisions from here on are new, or differ from the last execution.
    private var firstNew = 0
    private var sleep = ThreadSet()

    func begin() {
        depth = 0
        firstNew = max(0, path.count - 1)
        sleep = ThreadSet()
    }

    /// Prepares the next schedule. False if all were explored.
    func advance() -> Bool {
        while let last = path.last {
            let top = path.count - 1
            if last.choice + 1 < last.choiceCount {
                path[top].choice += 1
                return true
            }
            path[top].done.insert(last.thread)
            if let next = path[top].backtrack.subtracting(path[top].done).subtracting(last.sleep).first {
                path[top].thread = next
                path[top].choice = 0
                return true
            }
            path.removeLast()
        }
        return false
    }

    func decide(_ execution: Execution, _ enabled: ThreadSet, _ fallback: Int) -> PolicyDecision {
        if depth == path.count {
            let awake = enabled.subtracting(sleep)
            guard let first = awake.first else { return .giveUp }
            let thread = awake.contains(fallback) ? fallback : first
            path.append(Node(thread: thread, enabled: enabled, backtrack: ThreadSet(thread), sleep: sleep))
        } else if path[depth].enabled != enabled {
            return .misfit("at decision \(depth + 1) other threads can go on than before")
        }
        let thread = path[depth].thread
        let participant = execution.participants[thread]
        path[depth].choiceCount = participant.choiceCount
        guard path[depth].choice < path[depth].choiceCount else {
            return .misfit("decision \(depth + 1) has fewer outcomes than before")
        }
        let node = path[depth]
        sleep = ThreadSet()
        for other in node.sleep.union(node.done).members where other != thread {
            let isIndependent = !execution.participants[other].pending.isDependent(on: participant.pending)
            if isIndependent { sleep.insert(other) }
        }
        depth += 1
        return .go(
            Decision(
                thread: thread, choice: node.choice, position: depth - 1,
                isDefault: thread == fallback && node.choice == 0))
    }

    func wantsRaces(at position: Int) -> Bool { position >= firstNew }

    /// Sees to it that the later step is also tried first: at the decision of the earlier one some thread is tried that can
    /// begin a schedule with the same steps, without the earlier one and what depends on it.
    func foundRace(_ execution: Execution, between earlier: Int, and thread: Participant, _ before: VectorClock) {
        let events = execution.events
        guard let position = events[earlier].decision else { return }
        var steps: [Event] = []
        var seen = ThreadSet()
        var initials = ThreadSet()
        for event in events[(earlier + 1)...]
        where !event.clock.contains(events[earlier].number, of: events[earlier].thread) {
            if !seen.contains(event.thread) {
                seen.insert(event.thread)
                if !steps.contains(where: { event.clock.contains($0.number, of: $0.thread) }) {
                    initials.insert(event.thread)
                }
            }
            steps.append(event)
        }
        if !seen.contains(thread.index) {
            let follows = steps.contains {
                before.contains($0.number, of: $0.thread) || $0.action.isDependent(on: thread.pending)
            }
            if !follows { initials.insert(thread.index) }
        }
        guard initials.isDisjoint(with: path[position].backtrack) else { return }
        let possible = initials.intersection(path[position].enabled)
        if possible.contains(thread.index) {
            path[position].backtrack.insert(thread.index)
        } else if let first = possible.first {
            path[position].backtrack.insert(first)
        } else {
            path[position].backtrack.formUnion(path[position].enabled)
        }
    }
}
