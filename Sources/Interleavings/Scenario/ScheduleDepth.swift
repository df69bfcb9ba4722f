import Schedules

/// How much of a scenario is explored.
package enum ScheduleDepth: Hashable, Sendable {
    /// All schedules, with one surprise of each kind in each thread.
    case all
    /// All schedules without surprises; and all with at most this many preemptions and surprises together.
    case allWithout(surprisesWithin: Int)
    /// All schedules with at most this many preemptions and surprises together.
    case within(Int)
    /// All schedules with at most this many deviations from the scheduler's own order, surprises among them.
    case deviations(Int)
    /// One thread stops for ever, after each number of its steps; the others under all schedules without surprises, with at most
    /// this many preemptions.
    case stops(within: Int?)

    package struct Part: Hashable, Sendable {
        package var surprises = SurpriseLimits()
        package var preemptions: Int?
        package var deviations: Int?
        package var stops = false
    }

    /// The explorations, one after the other.
    var parts: [Part] {
        switch self {
        case .all: [Part()]
        case .allWithout(let bound): [Part(surprises: .none), Part(preemptions: bound)]
        case .within(let bound): [Part(preemptions: bound)]
        case .deviations(let bound): [Part(deviations: bound)]
        case .stops(let bound): [Part(surprises: .none, preemptions: bound, stops: true)]
        }
    }
}
