/// Decides which thread takes the next step, and with which outcome.
protocol SchedulePolicy: AnyObject {
    /// - Parameters:
    ///   - enabled: the threads that can take a step; never empty.
    ///   - fallback: the thread that took the last step, if it can go on; else the first that can.
    func decide(_ execution: Execution, _ enabled: ThreadSet, _ fallback: Int) -> PolicyDecision
    /// The thread takes a step that leaves nothing to decide.
    func willForce(_ thread: Int)

    /// Whether races of the step after this decision are of interest.
    func wantsRaces(at position: Int) -> Bool
    /// The pending step of the thread races with an earlier one. `before` is what the thread had seen.
    func foundRace(_ execution: Execution, between earlier: Int, and thread: Participant, _ before: VectorClock)
}

extension SchedulePolicy {
    func willForce(_ thread: Int) {}
    func wantsRaces(at position: Int) -> Bool { false }
    func foundRace(_ execution: Execution, between earlier: Int, and thread: Participant, _ before: VectorClock) {}
}

enum PolicyDecision {
    case go(Decision)
    /// This schedule is equivalent to one that was seen.
    case giveUp
    case misfit(String)
}

struct Decision {
    var thread: Int
    var choice: Int
    /// Its number in the search.
    var position: Int
    /// Whether it continues the running thread, if that can go on, with the usual outcome.
    var isDefault: Bool
}

extension Participant {
    /// The number of outcomes of the pending step.
    var choiceCount: Int { object?.choiceCount(self) ?? 1 }
}
