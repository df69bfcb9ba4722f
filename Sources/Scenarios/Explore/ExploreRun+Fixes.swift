import Exploration
import Platform
import Runs

extension ExploreRun {
    /// The most findings, those with the most failing states, for which missing syncs are searched.
    private static let fixesAtMost = 4

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
        let end =
            scenario.fixSeconds.map { least in now + (budget.map { $0 - spent } ?? max(least, spent)) } ?? .infinity
        var search = FixSearch(explorer, recording, weakestProfile(of: recording)) {
            if context.shouldStop() { return context.stopReason }
            return MonotonicTime.seconds() >= end ? .budget : nil
        }
        var groups = groups
        for index in groups.indices.prefix(Self.fixesAtMost) {
            context.progress("looking for the missing sync, finding \(index + 1) of \(groups.count)")
            groups[index].setFix(try search.fix(for: groups[index].shown.cause))
        }
        return groups
    }
}
