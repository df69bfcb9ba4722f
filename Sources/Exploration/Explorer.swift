import Bytes
import Model
import Oracle
import Storage

/// Checks every state that a crash could have left of one recording, or says exactly which it did not.
///
/// Only the last crash point of an epoch is looked at: between two returns of barriers, or two oracle lines, the set of
/// states only grows. (Under `kill` every event ends an epoch.) First every epoch with all optional lost and with all
/// kept, so that a small budget sees the whole run; then each epoch, exhaustively where it has few states.
///
/// States are told apart by hash, and each is recovered once (`CheckedStates`). A verdict belongs to what was observed and
/// a line of the oracle, never to a state alone. What is reported does not depend on the number of threads. Not thread
/// safe.
package final class Explorer {
    private let recording: Recording
    private var profile: Profile
    private let limits: ExplorationLimits
    private let seed: UInt64
    private let workers: Int
    private let checker: StateChecker
    private let judge: EvidenceJudge
    private let states: CheckedStates
    private var startCount: Int
    private let isOver: @Sendable () -> Bool
    private let hashes = NodeHashes()

    package private(set) var collector: FindingCollector
    package private(set) var nested: NestedFindings
    package private(set) var coverage: Coverage
    /// What had been recovered when the present profile began: its coverage tells of the rest.
    private var countsBefore = ExplorationCounts()
    package private(set) var unjudged: Set<String> = []
    package private(set) var notTried: Set<Check> = []
    /// The last evidence that was right, and where: for the positive control.
    package private(set) var clean: (evidence: Evidence, line: Int)?

    /// How far everything has come, between two rounds of walks.
    package private(set) var progress = ExplorationProgress()

    /// - Parameter confirming: what is asked once more before a violation is reported.
    /// - Parameter isOver: asked on all threads; when it is true no further recovery is begun, and `run`'s `shouldStop`
    ///   must have an answer.
    /// - Parameter earlier: an exploration of the same recording under the same limits, to be gone on with.
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
        if let earlier = earlier?.progress { goOn(from: earlier) }
    }

    /// Takes the next profile for the same recording: coverage, counts and evidence begin anew, and what was recovered
    /// and found stays. A state that an earlier profile left, too, is judged again and not recovered again.
    package func begin(_ profile: Profile, from earlier: ExplorationProgress? = nil) throws(RecordingError) {
        self.profile = profile
        try states.forgetJudgements()
        coverage = Coverage(limits: limits)
        progress = ExplorationProgress()
        states.counts.beginProfile()
        countsBefore = states.counts
        startCount = states.counts.checked
        if let earlier { goOn(from: earlier) }
    }

    private func goOn(from earlier: ExplorationProgress) {
        guard earlier.isPastEnds else { return }
        progress = earlier
        (states.counts.decided, states.counts.lossy) = (earlier.counts.decided, earlier.counts.lossy)
        (coverage.epochs, coverage.exhaustedEpochs) = (earlier.epochs, earlier.exhaustedEpochs)
        (coverage.mostAtoms, coverage.searched) = (earlier.mostAtoms, earlier.searched)
        coverage.hasSeenEnds = true
    }

    /// Calls `body` with the hash of each state that was recovered, now or before it was gone on with.
    package func forEachRecovered(_ body: (StateHash) throws -> Void) rethrows {
        try states.seen.forEachRecovered(body)
    }

    /// It was stopped before its end, and not by states that hang.
    package var canBeResumed: Bool { coverage.stopped != nil && !tooManyHang }

    /// The exploration's own recoveries and those that confirm what they showed each count by themselves.
    private var tooManyHang: Bool { max(counts.hung, checker.hangingCount) >= limits.hangsAtMost }

    /// A recovery was ended before its end, and with it the exploration.
    package func noteStop(_ reason: String) { coverage.stopped = coverage.stopped ?? reason }

    /// The first states that showed something else when they were recovered once more.
    package var contradictions: [Contradiction] {
        Array((states.contradictions + collector.contradictions).prefix(Contradiction.keptAtMost))
    }

    /// Of the present profile what was decided, and of all that were explored what was recovered.
    package var counts: ExplorationCounts { states.counts }

    /// Looks at everything, as long as `shouldStop` answers nil; its answer says why it stopped.
    package func run(shouldStop: () -> String?, progress say: (String) -> Void) throws {
        defer { fillCoverage() }
        if !progress.isPastEnds {
            try forEachChunk(of: Self.endsAtOnce, .ends) { walks in
                coverage.epochs += walks.count
                try look(walks, shouldStop, finish: { _ in }, afterRound: {})
            }
            guard coverage.stopped == nil else { return }
            coverage.hasSeenEnds = true
            save(of: [])
        }
        let first = progress.doneEpochs
        var done = first
        try forEachChunk(of: Self.epochsAtOnce, .all, from: first, progress.positions) { walks in
            say("epoch \(done + 1) of \(coverage.epochs), \(counts.checked.counted("state"))")
            try look(walks, shouldStop) { walk in
                coverage.mostAtoms = max(coverage.mostAtoms, walk.atomCount)
                if walk.isSearched { coverage.searched.append(walk.bound) } else { coverage.exhaustedEpochs += 1 }
            } afterRound: {
                save(of: walks)
            }
            done += walks.count
        }
    }

    /// Notes how far it has come: nothing that was derived waits any more.
    private func save(of walks: [EpochWalk]) {
        let isChunkDone = walks.allSatisfy(\.isDone)
        progress.epochs = coverage.epochs
        progress.positions = isChunkDone ? [] : walks.map(\.position)
        if isChunkDone { progress.doneEpochs += walks.count }
        progress.exhaustedEpochs = coverage.exhaustedEpochs
        (progress.mostAtoms, progress.searched) = (coverage.mostAtoms, coverage.searched)
        progress.counts = counts
    }

    private static let endsAtOnce = 64
    private static let epochsAtOnce = 8

    private func stop(_ shouldStop: () -> String?) -> Bool {
        guard coverage.stopped == nil else { return true }
        if tooManyHang {
            let hangs = limits.hangsAtMost.counted("state hangs", "states hang")
            coverage.stopped = "\(hangs) in recovery, and each costs the target's timeout; --hangs allows more"
        } else if let most = limits.budgetStates, counts.checked - startCount >= most {
            coverage.stopped = "the budget of \(most.counted("state")) is used up"
        } else {
            coverage.stopped = shouldStop()
        }
        return coverage.stopped != nil
    }

    // MARK: - Epochs

    /// Calls `body` with so many epochs at a time, to be walked on all threads, until it is time to stop.
    ///
    /// - Parameter first: so many epochs are passed over; the next ones go on from their positions.
    private func forEachChunk(
        of count: Int, _ extent: EpochWalk.Extent, from first: Int = 0, _ positions: [Int?] = [],
        _ body: ([EpochWalk]) throws -> Void
    ) throws {
        var chunk: [EpochWalk] = []
        var number = -first
        try recording.forEachEpoch(profile) { epoch in
            defer { number += 1 }
            guard number >= 0 else { return false }
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

    /// Looks at the states of these epochs; hands each that comes to its end to `finish`, in their order within a round.
    private func look(
        _ walks: [EpochWalk], _ shouldStop: () -> String?, finish: (EpochWalk) -> Void, afterRound: () -> Void
    ) throws {
        var open = walks.filter { !$0.isDone }
        while !open.isEmpty, !stop(shouldStop) {
            let seen = states.seen
            let rounds = try Parallel.map(open, workers: workers) { _, walk in try walk.round(seen) }
            for (index, walk) in open.enumerated() {
                states.counts += walk.takeCounts()
                for found in rounds[index] ?? [] { try states.take(found.hash, found.survivors, of: walk.epoch) }
            }
            try flush(shouldStop)
            guard coverage.stopped == nil else { return }
            for walk in open where walk.isDone { finish(walk) }
            open.removeAll { $0.isDone }
            afterRound()
        }
    }

    // MARK: - Verdicts

    private func flush(_ shouldStop: () -> String?) throws {
        try states.flush(isEarly: !coverage.hasSeenEnds) {
            stop(shouldStop)
        } judging: { shown, state in
            let judgement = judge.judge(shown.evidence, at: state)
            notTried.formUnion(judgement.notTried)
            switch judgement.verdict {
            case .pass: clean = (shown.evidence, judge.linesBefore + state.oracleLineCount)
            case .violation, .filesystem: return judgement.symptom
            case .inconclusive, .harnessError: unjudged.formUnion(judgement.unjudged.values)
            }
            try nested.judge(shown.nested, of: state)
            return nil
        } explaining: { failure, isKnown in
            states.counts.failing += 1
            if !isKnown { try collector.add(failure, checker, isOver: isOver) }
        }
    }

    private func fillCoverage() {
        // What was decided is as of the last round: what came after it is looked at again.
        let (decided, lossy) = (progress.counts.decided, progress.counts.lossy)
        progress.counts = counts
        (progress.counts.decided, progress.counts.lossy) = (decided, lossy)
        coverage.counts = counts - countsBefore
    }
}
