/// What the exploration of a scenario found, and how much of it was explored.
public struct ScheduleReport: Sendable {
    /// The first failure; nil if there was none.
    public var failure: ScheduleFailure?
    public var coverage = ScheduleCoverage.limited
    /// Executions that ran to their end.
    public var scheduleCount = 0
    /// Executions that were given up as equivalent to an earlier one.
    public var redundantCount = 0
    /// Steps of all executions.
    public var stepCount = 0
    /// Steps of the longest execution.
    public var longestCount = 0
}

/// Which schedules were explored.
public enum ScheduleCoverage: Hashable, Sendable {
    /// All, up to the order of independent steps, within the limits of surprises.
    case all
    /// All with at most this many preemptions and surprises together.
    case preemptions(Int)
    /// The number of schedules reached its limit.
    case limited
    /// It was stopped from outside.
    case stopped
}

/// A schedule after which something is wrong.
public struct ScheduleFailure: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The check of the world failed.
        case check(String)
        /// A thread threw an error.
        case threw(thread: String, String)
        /// No thread can go on. For each that has not ended, what it waits for.
        case stuck([String])
        /// The threads took more steps than allowed, and had not ended.
        case endless(steps: Int)
    }

    public var kind: Kind
    /// Replays it.
    public var schedule: Schedule
    public var stepCount: Int
    /// The steps, if they were narrated.
    public var rows: [ScheduleRow]
}

extension ScheduleFailure.Kind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .check(let reason): reason
        case .threw(let thread, let error): "\(thread): \(error)"
        case .stuck(let waiting): "no thread can go on: " + waiting.joined(separator: "; ")
        case .endless(let steps): "the threads have not ended after \(steps) steps"
        }
    }
}
