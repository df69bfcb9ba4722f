/// What was counted while crash states were looked at: the one value that walks, checked states, coverage, the progress
/// of a run and its result share.
package struct ExplorationCounts: Hashable, Sendable {
    /// States at oracle positions, equal ones counted again at each.
    package var decided = 0
    /// Those of them that had lost something.
    package var lossy = 0
    /// States that violate the contract, counted once for each line of the oracle.
    package var failing = 0
    /// Distinct states that were recovered.
    package var checked = 0
    /// Distinct states that were recovered once more, and those that then showed something else.
    package var rerun = 0
    package var unstable = 0
    /// Distinct states of crashes during recoveries, and the recoveries of which not all states were looked at.
    package var nested = 0
    package var boundedRecoveries = 0
    /// States that hung in recovery.
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

    /// False when nothing can have counted so.
    var isPlausible: Bool {
        [decided, lossy, failing, checked, rerun, unstable, nested, boundedRecoveries, hung]
            .allSatisfy { (0...1 << 48).contains($0) }
    }

    /// What is counted for each profile begins anew.
    mutating func beginProfile() { (decided, lossy, failing) = (0, 0, 0) }
}

/// The keys of a saved progress. What fails and what hangs is looked at again.
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
