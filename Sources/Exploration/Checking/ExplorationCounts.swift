/// The counters of an exploration. Walks, checked states, coverage, progress and results all use this one value.
package struct ExplorationCounts: Hashable, Sendable {
    /// Decided states. Equal states count once at each oracle line.
    package var decided = 0
    /// Decided states that lost something.
    package var lossy = 0
    /// States that violate the contract, counted once at each oracle line.
    package var failing = 0
    /// Recovered distinct states.
    package var checked = 0
    /// Distinct states that were recovered a second time, and those of them that then gave another result.
    package var rerun = 0
    package var unstable = 0
    /// Distinct states of crashes during recovery, and the recoveries of which not all states were checked.
    package var nested = 0
    package var boundedRecoveries = 0
    /// States whose recovery hung.
    package var hung = 0

    package init() {}

    package static func += (left: inout Self, right: Self) { left = left.combined(with: right, by: +) }

    package static func - (left: Self, right: Self) -> Self { left.combined(with: right, by: -) }

    private func combined(with other: Self, by combine: (Int, Int) -> Int) -> Self {
        var result = Self()
        result.decided = combine(decided, other.decided)
        result.lossy = combine(lossy, other.lossy)
        result.failing = combine(failing, other.failing)
        result.checked = combine(checked, other.checked)
        result.rerun = combine(rerun, other.rerun)
        result.unstable = combine(unstable, other.unstable)
        result.nested = combine(nested, other.nested)
        result.boundedRecoveries = combine(boundedRecoveries, other.boundedRecoveries)
        result.hung = combine(hung, other.hung)
        return result
    }

    /// False if the counts are impossible, so that the file with them is damaged.
    var isPlausible: Bool {
        [decided, lossy, failing, checked, rerun, unstable, nested, boundedRecoveries, hung]
            .allSatisfy { (0...1 << 48).contains($0) }
    }

    /// Resets the counters that are kept for each profile.
    mutating func beginProfile() { (decided, lossy, failing) = (0, 0, 0) }
}

/// The keys of saved progress. Failing and hanging states are not saved; they are checked again.
extension ExplorationCounts: Codable {
    private enum CodingKeys: String, CodingKey {
        case decided = "decidedCount"
        case lossy = "lossyCount"
        case checked = "checkedCount"
        case rerun = "rerunCount"
        case unstable = "unstableCount"
        case nested = "nestedCount"
        case boundedRecoveries = "boundedRecoveryCount"
    }
}
