import Exploration
import Platform
import Runs

extension ExploreRun {
    /// The most findings, those with the most failing states, for which missing syncs are searched.
    private static let fixesAtMost = 4
    /// The least time for the search, in seconds; else it may take as long as the exploration took.
    private static let leastFixSeconds = 10.0

    /// The groups with the syncs that each of them misses. Leaves the explorer with another recording.
    func withFixes(
        _ groups: [CauseGroup], _ explorer: Explorer, _ recording: Recording
    ) throws -> [CauseGroup] {
        guard !groups.isEmpty, !scenario.skipsFixes, recording.sectorBytes == nil, request.profile != .kill else {
            return groups
        }
        let budget = scenario.budget?.seconds.map(Double.init)
        let now = MonotonicTime.seconds()
        let spent = now - (began ?? now)
        let end = now + (budget.map { $0 - spent } ?? max(Self.leastFixSeconds, spent))
        // Of several profiles the weakest that states can be derived under: it has the states of all others.
        let profile = request.profiles == .every ? recording.profiles.last { $0 != .kill } : request.profile
        var search = FixSearch(explorer, recording, profile ?? request.profile) {
            if context.shouldStop() { return context.stopReason }
            return MonotonicTime.seconds() >= end ? .budget : nil
        }
        var groups = groups
        for index in groups.indices.prefix(Self.fixesAtMost) {
            context.progress("looking for the missing sync, finding \(index + 1) of \(groups.count)")
            groups[index].setFix(try search.fix(for: groups[index].shown))
        }
        return groups
    }
}
