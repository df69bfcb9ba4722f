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
    /// Where threads waited for one that had stopped for ever (`exploreStops`).
    public var waits: Set<ScheduleWait.Site> = []
    /// The places at which a thread stopped for ever: a thread and a number of its steps.
    public var stopCount = 0

    /// Adds another exploration of the same scenario.
    mutating func add(_ other: ScheduleReport) {
        failure = failure ?? other.failure
        if other.coverage != .all { coverage = other.coverage }
        scheduleCount += other.scheduleCount
        redundantCount += other.redundantCount
        stepCount += other.stepCount
        longestCount = max(longestCount, other.longestCount)
        waits.formUnion(other.waits)
        stopCount += other.stopCount
    }
}

/// Which schedules were explored.
public enum ScheduleCoverage: Hashable, Sendable {
    /// All, up to the order of independent steps, within the limits of surprises.
    case all
    /// All with at most this many preemptions and surprises together.
    case preemptions(Int)
    /// All with at most this many differences from the order that the scheduler keeps by itself.
    case deviations(Int)
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
        /// Threads wait for one that has stopped for ever, and should not (`ScheduleScenario.mayWait`).
        case waitsForStopped(thread: String, [String])
    }

    public var kind: Kind
    /// Replays it.
    public var schedule: Schedule
    public var stepCount: Int
    /// The steps, if they were narrated.
    public var rows: [ScheduleRow]
}

extension ScheduleFailure {
    /// Whether it needs a thread that stops for ever.
    public var needsStoppedThread: Bool { schedule.stopped != nil }
}

extension ScheduleFailure.Kind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .check(let reason): reason
        case .threw(let thread, let error): "\(thread): \(error)"
        case .stuck(let waiting): "no thread can go on: " + waiting.joined(separator: "; ")
        case .waitsForStopped(let thread, let waiting):
            "\(thread) has stopped for ever, and others wait for it: " + waiting.joined(separator: "; ")
        case .endless(let steps): "the threads have not ended after \(steps) steps"
        }
    }
}
