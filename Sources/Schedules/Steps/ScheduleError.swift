/// Why schedules could not be run. It says nothing about the code under test.
public enum ScheduleError: Error, Hashable, Sendable {
    /// A thread took no step for a long time: it waits for something that the scheduler does not know, such as a lock of the
    /// system that a thread holds between two steps.
    case blocked(seconds: Int)
    /// The same schedule did different steps in two executions.
    case unsteady(String)
    /// The schedule does not fit the scenario.
    case misfit(String)
    /// The text of a schedule cannot be read.
    case unreadable(String)
    case noThreads(String)
    case tooManyThreads(Int)
}

extension ScheduleError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .blocked(let seconds):
            "a thread has taken no step for \(seconds) seconds: it waits for something other than the primitives of "
                + "ScheduledCoordination, such as a lock of the system that another thread holds at a step"
        case .unsteady(let reason):
            "equal schedules do different things: \(reason). Time, random numbers and addresses must not decide what a "
                + "thread does"
        case .misfit(let reason): "the schedule does not fit: \(reason)"
        case .unreadable(let reason): "this is no schedule: \(reason)"
        case .noThreads(let reason): "no threads: \(reason)"
        case .tooManyThreads(let count):
            "a scenario has 1 to \(VectorClock.threadLimit) threads, not \(count)"
        }
    }
}
