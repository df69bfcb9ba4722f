import Schedules

/// How much of a scenario is explored.
package enum ScheduleDepth: Hashable, Sendable {
    /// All schedules, with one surprise of each kind in each thread.
    case all
    /// All schedules without surprises; and all with at most this many preemptions and surprises together.
    case allWithout(surprisesWithin: Int)
    /// All schedules with at most this many preemptions and surprises together.
    case within(Int)

    /// The explorations, one after the other.
    var parts: [(surprises: SurpriseLimits, preemptions: Int?)] {
        switch self {
        case .all: [(SurpriseLimits(), nil)]
        case .allWithout(let bound): [(.none, nil), (SurpriseLimits(), bound)]
        case .within(let bound): [(SurpriseLimits(), bound)]
        }
    }
}
