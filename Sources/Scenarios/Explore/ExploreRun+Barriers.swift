import Exploration
import Model
import Oracle
import Platform
import Runs
import Targets

extension ExploreRun {
    /// The least time for a pattern of barriers, in seconds; else it may take as long as the exploration took.
    private static let leastSecondsPerPattern = 20.0

    /// Leaves out the barriers of each pattern in turn. Leaves the explorer with another recording.
    ///
    /// - Parameter known: the causes that the exploration found.
    func barriers(
        _ explorer: Explorer, _ recording: Recording, _ history: OracleHistory, _ store: BuiltInStore?, known: [Cause]
    ) throws -> RunResult.Barriers {
        let profile = weakestProfile(of: recording)
        let client = RecoverClient(request.target)
        defer { try? client.close() }
        var nestedCount = 0
        var search = BarrierSearch(explorer, recording, profile, known: known) { recording in
            nestedCount += 1
            var limits = scenario.limits
            limits.depth = 2
            let names = ["nested-states-\(nestedCount)", "nested-confirm-\(nestedCount)"]
            let recoveries = try names.map { try recovery(store, recording, client, $0, depth: 2) }
            return try Explorer(
                recording, profile: profile, limits: limits, seed: request.seed, recovery: recoveries[0],
                confirming: recoveries[1], judge: EvidenceJudge(history.validator, request.contract),
                workers: workers, memory: context.memory.budget, isOver: context.shouldStop)
        }
        let seconds = max(Self.leastSecondsPerPattern, tally.exploringSeconds ?? 0)
        var found: [RunResult.Barrier] = []
        let patterns = search.patterns
        for (number, (pattern, _)) in patterns.enumerated() {
            context.progress("leaving out barriers, pattern \(number + 1) of \(patterns.count)")
            let end = MonotonicTime.seconds() + seconds
            let result = try search.result(without: pattern) {
                if context.shouldStop() { return context.stopReason }
                return MonotonicTime.seconds() >= end ? .budget : nil
            }
            found.append(try barrier(result))
        }
        return RunResult.Barriers(profile, found)
    }

    private func barrier(_ result: BarrierSearch.Result) throws -> RunResult.Barrier {
        var barrier = RunResult.Barrier(
            pattern: result.pattern, count: result.count, need: .undecided, decided: result.decidedCount,
            isExhaustive: result.isExhaustive)
        switch result.answer {
        case .needed(let cause, let recording, let isDuringRecovery):
            barrier.need = isDuringRecovery ? .neededInRecovery : .needed
            barrier.check = cause.cause.check
            barrier.lost = cause.losses.descriptions
            barrier.story = try context.wording.story(of: cause.failingState(in: recording)).headline
        case .notNeeded: barrier.need = .notNeeded
        case .outOfTime: break
        }
        return barrier
    }
}
