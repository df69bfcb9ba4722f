import Model
import Oracle

/// Checks every state that a crash could have left of one recording, or says exactly which it did not.
///
/// Only the last crash point of an epoch is looked at: between two returns of barriers, or two oracle lines, the set of
/// states only grows. (Under `kill` every event ends an epoch.) First every epoch with all optional lost and with all
/// kept, so that a small budget sees the whole run; then each epoch, exhaustively where it has few states.
///
/// States are told apart by hash, and each is recovered once (`StateLedger`). A verdict belongs to what was observed and
/// a line of the oracle, never to a state alone. What is reported does not depend on the number of threads. Not thread
/// safe.
package final class Explorer {
    private let recording: Recording
    private let profile: Profile
    private let limits: ExplorationLimits
    private let search: EpochSearch
    private let checker: StateChecker
    private let judge: EvidenceJudge
    private var ledger: StateLedger
    private var hashes: TreeHashCache

    package private(set) var collector: FindingCollector
    package private(set) var nested: NestedFindings
    package private(set) var coverage: Coverage
    /// States at oracle positions, equal ones counted again at each.
    package private(set) var decidedCount = 0
    package private(set) var lossyCount = 0
    package private(set) var unjudged: Set<String> = []
    package private(set) var notTried: Set<Check> = []
    /// The last evidence that was right, and where: for the positive control.
    package private(set) var clean: (evidence: Evidence, line: Int)?

    /// - Parameter confirming: what is asked once more before a violation is reported.
    package init(
        _ recording: Recording, profile: Profile, limits: ExplorationLimits, seed: UInt64,
        recovery: any StateRecoverer, confirming: any StateRecoverer, judge: EvidenceJudge, workers: Int
    ) {
        self.recording = recording
        self.profile = profile
        self.limits = limits
        self.judge = judge
        search = EpochSearch(limits: limits, seed: seed)
        let nesting =
            limits.depth > 1
            ? NestedExploration(profile: profile, statesPerEpoch: limits.nestedStatesPerEpoch) : nil
        ledger = StateLedger(recovery: recovery, nesting: nesting, workers: workers)
        nested = NestedFindings(nesting, recovery: confirming, judge: judge)
        hashes = TreeHashCache(payloads: recording.payloads)
        checker = StateChecker(recovery: confirming, judge: judge)
        collector = FindingCollector(recording)
        coverage = Coverage(limits: limits)
    }

    /// Distinct states that were recovered.
    package var checkedCount: Int { ledger.checkedCount }
    /// Distinct states of crashes during their recoveries.
    package var nestedCount: Int { ledger.nestedCount }

    /// Looks at everything, as long as `shouldStop` answers nil; its answer says why it stopped.
    package func run(shouldStop: () -> String?, progress: (String) -> Void) throws {
        defer { fillCoverage() }
        try recording.forEachEpoch(profile) { epoch in
            coverage.epochs += 1
            for choice in [Choice.nothing, .everything] { try look(epoch.set.survivors(choice), of: epoch) }
            return stop(shouldStop)
        }
        try flush()
        guard coverage.stopped == nil else { return }
        var number = 0
        try recording.forEachEpoch(profile) { epoch in
            number += 1
            progress("epoch \(number) of \(coverage.epochs), \(checkedCount) states")
            if try isSmall(epoch) {
                if try exhaust(epoch, shouldStop) { coverage.exhaustedEpochs += 1 }
            } else {
                try search.forEachChoice(epoch) { survivors in
                    try look(survivors, of: epoch)
                    return stop(shouldStop)
                }
                if coverage.stopped == nil { coverage.searchedEpochs += 1 }
            }
            return coverage.stopped != nil
        }
        try flush()
    }

    private func stop(_ shouldStop: () -> String?) -> Bool {
        guard coverage.stopped == nil else { return true }
        if ledger.hasHung || checker.hangingCount > 0 {
            coverage.stopped = "a state hangs in recovery"
        } else if let most = limits.budgetStates, ledger.distinctCount >= most {
            coverage.stopped = "the budget of \(most) states is used up"
        } else {
            coverage.stopped = shouldStop()
        }
        return coverage.stopped != nil
    }

    // MARK: - Epochs

    private func isSmall(_ epoch: Epoch) throws -> Bool {
        var walker = try StateWalker(epoch.set, payloads: recording.payloads)
        // Without needs so many atoms have so many states at the least; the walk counts the others.
        var count = 1
        while try walker.next() {
            count += 1
            if count > limits.statesPerEpoch { return false }
        }
        return true
    }

    /// Looks at every state of the epoch; false when it is time to stop.
    private func exhaust(_ epoch: Epoch, _ shouldStop: () -> String?) throws -> Bool {
        var walker = try StateWalker(epoch.set, payloads: recording.payloads)
        var isFirst = true
        repeat {
            decidedCount += 1
            if !isFirst { lossyCount += 1 }
            isFirst = false
            guard ledger.needsLook(walker.hash, at: epoch.lines) else { continue }
            ledger.take(walker.hash, walker.survivors(), of: epoch)
            if ledger.isBatchFull {
                try flush()
                if stop(shouldStop) { return false }
            }
        } while try walker.next()
        return !stop(shouldStop)
    }

    private func look(_ survivors: Survivors, of epoch: Epoch) throws {
        decidedCount += 1
        if !survivors.keepsEverything { lossyCount += 1 }
        let hash = try hashes.hash(epoch.set.tree(survivors))
        guard ledger.needsLook(hash, at: epoch.lines) else { return }
        ledger.take(hash, survivors, of: epoch)
        if ledger.isBatchFull { try flush() }
    }

    // MARK: - Verdicts

    private func flush() throws {
        try ledger.flush { shown, state in
            let judgement = judge.judge(shown.evidence, at: state)
            notTried.formUnion(judgement.notTried)
            switch judgement.verdict {
            case .pass: clean = (shown.evidence, judge.linesBefore + state.oracleLineCount)
            case .violation: return try collector.add(state, judgement, checker)
            case .inconclusive, .harnessError: unjudged.formUnion(judgement.unjudged.values)
            }
            try nested.judge(shown.nested, of: state)
        }
    }

    private func fillCoverage() {
        coverage.rerunStates = ledger.rerunCount
        coverage.unstableStates = ledger.unstableCount
        coverage.nestedStates = ledger.nestedCount
        coverage.boundedRecoveries = ledger.boundedRecoveryCount
    }
}
