import Bytes
import Model
import Oracle
import Platform
import Storage

/// Checks every crash state of a recording, and reports exactly which states it did not check.
///
/// Only the last crash point of an epoch is explored, because the set of states only grows between two barrier returns or
/// oracle lines. (Under `kill` every event ends an epoch.) First come the two extreme states of every epoch, all lost and
/// all kept, so that a small budget covers the whole run. Then come all states of each epoch, or a bounded search if there
/// are too many.
///
/// States are identified by hash, and each is recovered once (`CheckedStates`). A verdict depends on the evidence and the
/// oracle line, not on the state alone. The results do not depend on the number of threads. Not thread safe.
package final class Explorer {
    package private(set) var recording: Recording
    var profile: Profile
    let limits: ExplorationLimits
    let seed: UInt64
    let workers: Int
    private let checker: StateChecker
    private let judge: EvidenceJudge
    let states: CheckedStates
    private var startCount: Int
    private let isOver: @Sendable () -> Bool
    let hashes = NodeHashes()

    package private(set) var collector: FindingCollector
    package private(set) var nested: NestedFindings
    package internal(set) var coverage: Coverage
    /// How far the deciding of states has come.
    var deciding = Deciding()
    /// The first epoch of which the decided states are not part of `coverage`.
    private var uncountedEpoch = 0
    /// The counts when the current profile began. Its coverage is the difference.
    private var countsBefore = ExplorationCounts()
    package private(set) var unjudged: Set<String> = []
    package private(set) var notTried: Set<Check> = []
    /// The last passing evidence and its oracle line, for the positive control.
    package private(set) var clean: (evidence: Evidence, line: Int)?

    private var minimisingSeconds = 0.0
    /// The seconds in which states were recovered or minimised; in the others they were derived, chosen and judged.
    package var recoveringSeconds: Double { states.recoveringSeconds + minimisingSeconds }

    /// The progress between two rounds, for resuming.
    package private(set) var progress = ExplorationProgress()

    /// - Parameter confirming: recovers a failing state again before it is reported.
    /// - Parameter isOver: called on all threads. If true, no further recovery begins; `run`'s `shouldStop` must then
    ///   return a reason.
    /// - Parameter earlier: an exploration to resume, of the same recording with the same limits.
    package init(
        _ recording: Recording, profile: Profile, limits: ExplorationLimits, seed: UInt64,
        recovery: any StateRecoverer, confirming: any StateRecoverer, judge: EvidenceJudge, workers: Int,
        earlier: EarlierExploration? = nil, memory: MemoryBudget, isOver: @escaping @Sendable () -> Bool = { false }
    ) throws(RecordingError) {
        self.isOver = isOver
        self.recording = recording
        self.profile = profile
        self.limits = limits
        self.judge = judge
        self.seed = seed
        self.workers = workers
        let nesting =
            limits.depth > 1
            ? NestedExploration(profile: profile, statesPerEpoch: limits.nestedStatesPerEpoch, isOver: isOver)
            : nil
        states = try CheckedStates(
            recovery: recovery, nesting: nesting, workers: workers, hangsAtMost: limits.hangsAtMost, earlier: earlier,
            memory: memory, isOver: isOver)
        nested = NestedFindings(nesting, recovery: confirming, judge: judge, memory: memory)
        checker = StateChecker(recovery: confirming, judge: judge, memory: memory)
        collector = FindingCollector(recording)
        coverage = Coverage(limits: limits)
        startCount = states.counts.checked
        if let earlier = earlier?.progress { resume(from: earlier) }
    }

    /// Begins the next profile of the same recording. Coverage and counts are reset; recovered states and findings stay. A
    /// state of an earlier profile is judged again, but not recovered again.
    package func begin(_ profile: Profile, from earlier: ExplorationProgress? = nil) throws(RecordingError) {
        self.profile = profile
        try states.resetJudgements()
        coverage = Coverage(limits: limits)
        progress = ExplorationProgress()
        deciding = Deciding()
        states.counts.beginProfile()
        countsBefore = states.counts
        startCount = states.counts.checked
        if let earlier { resume(from: earlier) }
    }

    /// Begins another recording of the same data, such as one with other barriers, with the same oracle lines. Coverage,
    /// counts and findings are reset; a state that was recovered before is judged again, but not recovered again.
    ///
    /// Crashes during recovery are checked only of states that were not recovered before.
    package func begin(_ recording: Recording, _ profile: Profile) throws(RecordingError) {
        self.recording = recording
        try begin(profile)
        states.resetFindings()
        collector = FindingCollector(recording)
        nested = nested.emptied
    }

    private func resume(from earlier: ExplorationProgress) {
        guard earlier.isPastExtremes else { return }
        progress = earlier
        (states.counts.decided, states.counts.lossy) = (earlier.counts.decided, earlier.counts.lossy)
        (coverage.epochs, coverage.exhaustedEpochs) = (earlier.epochs, earlier.exhaustedEpochs)
        (coverage.mostAtoms, coverage.searched) = (earlier.mostAtoms, earlier.searched)
        (coverage.tornEpochs, coverage.wholeEpochs) = (earlier.tornEpochs, earlier.wholeEpochs)
        coverage.decidedStates = earlier.decidedStates
        coverage.hasCheckedExtremes = true
    }

    /// The causes of failures, with those of crashes during recovery.
    package var allCauses: [FoundCause] { collector.causes + nested.findings.map(\.cause) }

    /// Calls `body` with the hash of each recovered state, including those before the exploration was resumed.
    package func forEachRecovered(_ body: (StateHash) throws -> Void) rethrows {
        try states.seen.forEachRecovered(body)
    }

    /// Whether the exploration stopped early, and not because of hanging states.
    package var canBeResumed: Bool { coverage.stopped != nil && !tooManyHang }

    /// Hangs of the exploration and of the confirming recoveries are counted separately.
    private var tooManyHang: Bool { max(counts.hung, checker.hangingCount) >= limits.hangsAtMost }

    /// Records that a recovery was aborted, and with it the exploration.
    package func recordStop(_ reason: StopReason) { coverage.stopped = coverage.stopped ?? reason }

    /// The first states that gave another result when recovered again.
    package var contradictions: [Contradiction] {
        Array((states.contradictions + collector.contradictions).prefix(Contradiction.keptAtMost))
    }

    /// The counts. `decided`, `lossy` and `failing` are of the current profile, the others of all profiles.
    package var counts: ExplorationCounts { states.counts }

    /// Explores all epochs while `shouldStop` returns nil. Otherwise it returns the reason for stopping.
    package func run(shouldStop: () -> StopReason?, progress say: (ExplorationStep) -> Void) throws {
        defer { fillCoverage() }
        if !progress.isPastExtremes {
            try forEachChunk(of: Self.extremesPerChunk, .extremes) { walks in
                coverage.epochs += walks.count
                try walkAll(walks, shouldStop, finish: { _ in }, afterRound: {})
            }
            guard coverage.stopped == nil else { return }
            coverage.hasCheckedExtremes = true
            save(of: [])
        }
        let first = progress.doneEpochs
        uncountedEpoch = first
        if decides {
            try decide(from: first, shouldStop, progress: say)
            guard coverage.stopped == nil else { return }
        }
        var done = first
        try forEachChunk(of: Self.epochsPerChunk, .all, from: first, progress.positions) { walks in
            say(step(done))
            for walk in walks {
                if walk.position == 0 || walk.isDecided { count(deciding[uncountedEpoch]) }
                uncountedEpoch += 1
            }
            try walkAll(walks, shouldStop) { walk in
                coverage.mostAtoms = max(coverage.mostAtoms, walk.atomCount)
                if walk.isSearched { coverage.searched.append(walk.bound) } else { coverage.exhaustedEpochs += 1 }
            } afterRound: {
                save(of: walks)
                say(step(done + walks.count(where: \.isDone)))
            }
            if coverage.stopped == nil, walks.allSatisfy(\.isDecided) { save(of: walks) }
            done += walks.count
        }
    }

    func step(_ done: Int) -> ExplorationStep {
        ExplorationStep(
            epochs: done, of: coverage.epochs, states: counts.checked, found: allCauses.map(\.violation))
    }

    /// Saves the progress. No derived state may be queued.
    private func save(of walks: [EpochWalk]) {
        let isChunkDone = walks.allSatisfy(\.isDone)
        progress.epochs = coverage.epochs
        progress.positions = isChunkDone ? [] : walks.map(\.position)
        if isChunkDone { progress.doneEpochs += walks.count }
        progress.exhaustedEpochs = coverage.exhaustedEpochs
        (progress.tornEpochs, progress.wholeEpochs) = (coverage.tornEpochs, coverage.wholeEpochs)
        progress.decidedStates = coverage.decidedStates
        (progress.mostAtoms, progress.searched) = (coverage.mostAtoms, coverage.searched)
        progress.counts = counts
    }

    private static let extremesPerChunk = 64
    static let epochsPerChunk = 8

    func stop(_ shouldStop: () -> StopReason?) -> Bool {
        guard coverage.stopped == nil else { return true }
        if tooManyHang {
            coverage.stopped = .hangs(limits.hangsAtMost)
        } else if let most = limits.budgetStates, counts.checked - startCount >= most {
            coverage.stopped = .states(most)
        } else {
            coverage.stopped = shouldStop()
        }
        return coverage.stopped != nil
    }

    // MARK: - Epochs

    /// Calls `body` with `count` epochs at a time, to be walked on all threads, until the exploration stops.
    ///
    /// - Parameter first: the number of epochs to skip; the following ones resume from `positions`.
    private func forEachChunk(
        of count: Int, _ extent: EpochWalk.Extent, from first: Int = 0, _ positions: [Int?] = [],
        _ body: ([EpochWalk]) throws -> Void
    ) throws {
        var chunk: [EpochWalk] = []
        var number = -first
        try recording.forEachEpoch(profile) { epoch in
            defer { number += 1 }
            guard number >= 0 else { return false }
            let known = deciding[number + first]
            var extent = extent
            if extent == .all, known.level != nil || known.isTooLarge {
                extent = known.level == .units ? .decided : .bounded
            }
            chunk.append(
                EpochWalk(
                    epoch, extent, limits, seed: seed, payloads: recording.payloads, hashes: hashes,
                    from: number < positions.count ? positions[number] : 0))
            guard chunk.count == count else { return false }
            try body(chunk)
            chunk = []
            return coverage.stopped != nil
        }
        if !chunk.isEmpty, coverage.stopped == nil { try body(chunk) }
    }

    /// Checks the states of these epochs. Calls `finish` with each epoch that is done, in order within a round.
    private func walkAll(
        _ walks: [EpochWalk], _ shouldStop: () -> StopReason?, finish: (EpochWalk) -> Void, afterRound: () -> Void
    ) throws {
        var open = walks.filter { !$0.isDone }
        while !open.isEmpty, !stop(shouldStop) {
            let seen = states.seen
            let rounds = try Parallel.map(open, workers: workers) { _, walk in try walk.round(seen) }
            for (index, walk) in open.enumerated() {
                states.counts += walk.takeCounts()
                for found in rounds[index] ?? [] { try states.enqueue(found.hash, found.survivors, of: walk.epoch) }
            }
            try flush(shouldStop)
            guard coverage.stopped == nil else { return }
            for walk in open where walk.isDone { finish(walk) }
            open.removeAll { $0.isDone }
            afterRound()
        }
    }

    /// Adds the decided states of an epoch to the coverage.
    private func count(_ epoch: Deciding.OfEpoch) {
        switch epoch.level {
        case .units: coverage.exhaustedEpochs += 1
        case .torn: coverage.tornEpochs += 1
        case .whole: coverage.wholeEpochs += 1
        case nil: break
        }
        coverage.mostAtoms = max(coverage.mostAtoms, epoch.atomCount)
        coverage.decidedStates += epoch.states
        let count = min(epoch.states.clamped, Self.countedAtMost)
        states.counts.decided += count
        states.counts.lossy += max(0, count - 1)
    }

    /// Enough for every sum to stay an `Int`, and the progress plausible.
    private static let countedAtMost = 1 << 32

    // MARK: - Verdicts

    private func flush(_ shouldStop: () -> StopReason?) throws {
        try states.flush(isEarly: !coverage.hasCheckedExtremes) {
            stop(shouldStop)
        } judging: { shown, line, state in
            try symptom(of: shown, line, state)
        } explaining: { failure, isKnown in
            try explain(failure, isKnown)
        }
    }

    /// Judges the evidence of a state, and passes the state on if it fails. Returns whether it does.
    func conclude(
        _ state: CheckedStates.QueuedState, _ number: Int, _ losses: inout CheckedStates.LossesOfEpoch?
    ) throws -> Bool {
        // Epochs are decided several times, and not in the order of their lines.
        try states.conclude(state, number, isEarly: true, &losses) { shown, line, state in
            try symptom(of: shown, line, state)
        } explaining: { failure, isKnown in
            try explain(failure, isKnown)
        }
    }

    private func symptom(of shown: StateEvidence, _ line: Int, _ state: () -> CrashState) throws -> Symptom? {
        let judgement = judge.judge(shown.evidence, atLine: line)
        notTried.formUnion(judgement.notTried)
        switch judgement.verdict {
        case .pass: clean = (shown.evidence, judge.linesBefore + line)
        case .violation, .filesystem: return judgement.symptom
        case .inconclusive, .harnessError: unjudged.formUnion(judgement.unjudged.values)
        }
        if !shown.nested.isEmpty { try nested.judge(shown.nested, of: state()) }
        return nil
    }

    private func explain(_ failure: Failure, _ isKnown: Bool) throws {
        states.counts.failing += 1
        guard !isKnown else { return }
        let began = MonotonicTime.seconds()
        defer { minimisingSeconds += MonotonicTime.seconds() - began }
        try collector.add(failure, checker, isOver: isOver)
    }

    private func fillCoverage() {
        // What is decided beyond the epochs that were walked.
        let (saved, levels) = (coverage.decidedStates, deciding)
        if coverage.stopped != nil {
            for number in uncountedEpoch..<max(uncountedEpoch, coverage.epochs) { count(levels[number]) }
        }
        progress.decidedStates = saved
        (coverage.families, coverage.sampledStates) = (deciding.families, deciding.sampled)
        // `decided` is as of the last saved round: later states are checked again after resuming.
        let (decided, lossy) = (progress.counts.decided, progress.counts.lossy)
        progress.counts = counts
        (progress.counts.decided, progress.counts.lossy) = (decided, lossy)
        coverage.counts = counts - countsBefore
    }
}
