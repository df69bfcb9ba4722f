import Platform

/// The primitives under a scheduler: each call is a step, before which any other thread may run.
///
/// Memory model: loads acquire, stores release, exchanges do both; a load may return any value that these orders still allow
/// (`ScheduledWords`). What the code keeps in ordinary memory is not modelled: every thread sees it as it is.
///
/// Outside of an execution, and while a world is prepared and checked, the calls work at once, for one thread.
public enum ScheduledCoordination: Coordination {
    public typealias Words = ScheduledWords
    public typealias Gate = ScheduledGate

    /// The thread goes on when another thread has changed something, or when it has not yet seen all that is there. Then it
    /// sees all of it.
    public static func relax(_ round: inout Int) {
        round += 1
        guard let thread = Participant.scheduled else { return }
        _ = thread.execution.step(Action(kind: .relax, accesses: []), of: Spinning.shared, by: thread)
    }

    /// Virtual: it advances when a wait times out.
    public static var nanoseconds: UInt64 {
        guard let thread = Participant.scheduled else { return Participant.current?.execution.nanoseconds ?? 0 }
        let access = Action.Access(object: thread.execution.timeObject, mode: .read)
        _ = thread.execution.step(Action(kind: .readTime, accesses: [access]), of: Spinning.shared, by: thread)
        return thread.execution.nanoseconds
    }
}

/// Waiting in a loop, and looking at the time.
private final class Spinning: SharedObject, Sendable {
    static let shared = Spinning()

    func isEnabled(_ thread: Participant) -> Bool {
        thread.pending.kind == .readTime || thread.execution.hasChanged(since: thread)
    }

    func place(_ thread: Participant) -> SchedulePlace { .loop }

    func choiceCount(_ thread: Participant) -> Int { 1 }

    func title(_ thread: Participant) -> String {
        thread.pending.kind == .readTime ? "read the time" : "wait for a change by another thread, and look again"
    }
}
