/// Follows a schedule. After its end the running thread goes on for as long as it can.
final class ReplayPolicy: SchedulePolicy {
    private let steps: [Schedule.Step]
    private var next = 0
    private var reason: String?

    init(_ schedule: Schedule) { steps = schedule.steps }

    func decide(_ execution: Execution, _ enabled: ThreadSet, _ fallback: Int) -> PolicyDecision {
        if let reason { return .misfit(reason) }
        defer { next += 1 }
        guard next < steps.count else {
            return .go(Decision(thread: fallback, choice: 0, position: next, isDefault: true))
        }
        let step = steps[next]
        guard step.thread < execution.participants.count else {
            return .misfit("there is no thread \(Schedule.letter(step.thread)) (step \(next + 1))")
        }
        let name = execution.threadNames[step.thread]
        guard enabled.contains(step.thread) else {
            return .misfit("\(name) cannot take step \(next + 1): it has ended, or waits")
        }
        let count = execution.participants[step.thread].choiceCount
        guard step.choice < count else {
            return .misfit("step \(next + 1), by \(name), has no outcome \(step.choice)")
        }
        return .go(
            Decision(
                thread: step.thread, choice: step.choice, position: next,
                isDefault: step.thread == fallback && step.choice == 0))
    }

    func willForce(_ thread: Int) {
        if next < steps.count, steps[next].thread != thread, reason == nil {
            reason = "step \(next + 1) belongs to \(Schedule.letter(thread))"
        }
        next += 1
    }
}
