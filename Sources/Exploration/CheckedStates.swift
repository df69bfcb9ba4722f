import Model
import Oracle
import Platform
import Storage
import Synchronization

/// Checks the states of an exploration. Each distinct state is recovered once, in batches on all threads. Each distinct
/// evidence is judged once for each oracle line at which it occurs. Failing states are passed on one by one, because two
/// states with equal evidence may fail for different causes.
///
/// The results do not depend on the number of threads: batches are judged in order. Not thread safe.
final class CheckedStates {
    /// Evidence at a line of the oracle.
    struct Sighting: Hashable {
        var shown: Int
        var line: Int
    }

    struct QueuedState {
        var hash: StateHash
        var epoch: Epoch
        var survivors: Survivors
    }

    let recovery: any StateRecoverer
    let nesting: NestedExploration?
    let workers: Int
    /// Whether to stop: no further recovery begins, and a partly checked state does not count as checked.
    let isOver: @Sendable () -> Bool
    /// Read by all threads, while it does not change.
    let seen: SeenStates
    let shown: EvidenceArchive
    private var judged: Set<Sighting> = []
    /// The symptoms of failing evidence.
    private var symptoms: [Sighting: Symptom] = [:]
    /// Failing states that were counted before all states of their epochs were walked.
    private var countedEarly: Set<Counted> = []
    /// Failing states of all profiles, if there are several.
    private var countedOfAnyProfile: Set<Counted>?
    /// The limit in bytes for the evidence of a batch in memory; the rest goes to the spill file.
    let batchBytes: Int
    private var fresh: [QueuedState] = []
    private var waiting: [QueuedState] = []
    /// The seconds in which states were recovered.
    var recoveringSeconds = 0.0
    var counts: ExplorationCounts
    /// The first states that gave another result when recovered again.
    private(set) var contradictions: [Contradiction] = []
    /// What recoveries read and showed; nil if recoveries do not tell what they read, or not all of it.
    var decisions: DecisionTree?
    /// The evidence of states of whose recovery it is not known what it read.
    var unread: [StateHash: Int] = [:]
    let hangsAtMost: Int

    init(
        recovery: any StateRecoverer, nesting: NestedExploration?, workers: Int, hangsAtMost: Int,
        earlier: EarlierExploration? = nil, memory: MemoryBudget, isOver: @escaping @Sendable () -> Bool = { false }
    ) throws(RecordingError) {
        self.isOver = isOver
        shown = EvidenceArchive(memory)
        batchBytes = memory.cacheBytes
        seen = try SeenStates(earlier: earlier?.states)
        self.recovery = recovery
        self.nesting = nesting
        self.workers = max(1, workers)
        self.hangsAtMost = hangsAtMost
        decisions = nesting == nil && recovery.notesReads ? try DecisionTree() : nil
        counts = earlier?.progress.counts ?? ExplorationCounts()
        // These are counted again, unless the walks are resumed too.
        counts.beginProfile()
    }

    /// A state at a line of the oracle.
    private struct Counted: Hashable {
        var hash: StateHash
        var line: Int
    }

    /// Discards all judgements, so that evidence is judged again. Failing states that were passed on before are passed on
    /// as known.
    func resetJudgements() throws(RecordingError) {
        (judged, symptoms, countedEarly) = ([], [:], [])
        countedOfAnyProfile = countedOfAnyProfile ?? []
        try seen.resetJudgements()
    }

    /// Forgets which failing states were passed on, so that all are passed on again.
    func resetFindings() { countedOfAnyProfile = nil }

    /// Queues a state, if it needs a check.
    func enqueue(_ hash: StateHash, _ survivors: Survivors, of epoch: Epoch) throws {
        guard seen.needsCheck(hash, at: epoch.lines) else { return }
        let state = QueuedState(hash: hash, epoch: epoch, survivors: survivors)
        if try seen.enqueue(hash, at: epoch.lines) { fresh.append(state) }
        waiting.append(state)
    }

    /// Recovers the queued states and judges them in order.
    ///
    /// - Parameters:
    ///   - isEarly: the states come up again when their epochs are walked.
    ///   - shouldStop: called between batches; if true, the remaining queued states are not recovered.
    ///   - judge: called with new evidence at an oracle line; returns its symptom if it fails.
    ///   - explain: called with each failing state, once for each line, and whether an earlier profile had it there.
    func flush(
        isEarly: Bool, shouldStop: () -> Bool,
        judging judge: (StateEvidence, _ line: Int, _ state: () -> CrashState) throws -> Symptom?,
        explaining explain: (Failure, _ isKnown: Bool) throws -> Void
    ) throws {
        var index = 0
        while index < fresh.count, counts.hung < hangsAtMost {
            let batch = Array(fresh[index..<min(index + recovery.batchCount, fresh.count)])
            index += batch.count
            for (state, result) in zip(batch, try recover(batch)) where counts.hung < hangsAtMost {
                // nil if the exploration was stopped.
                if let result { try enter(result, of: state) }
            }
            if shouldStop() { break }
        }
        let all = waiting
        (fresh, waiting) = ([], [])
        var losses: LossesOfEpoch?
        for state in all {
            guard let number = seen.shown(by: state.hash) else { continue }
            try conclude(state, number, isEarly: isEarly, &losses, judging: judge, explaining: explain)
        }
    }

    typealias LossesOfEpoch = (epoch: Epoch, table: LossTable)

    /// Judges the evidence of a state, unless that is known, and passes the state on if it fails. Returns whether it does.
    @discardableResult
    func conclude(
        _ state: QueuedState, _ number: Int, isEarly: Bool = false, _ losses: inout LossesOfEpoch?,
        judging judge: (StateEvidence, _ line: Int, _ state: () -> CrashState) throws -> Symptom?,
        explaining explain: (Failure, _ isKnown: Bool) throws -> Void
    ) throws -> Bool {
        let (epoch, line) = (state.epoch, state.epoch.lines)
        let sighting = Sighting(shown: number, line: line)
        if seen.judge(number, at: line), judged.insert(sighting).inserted {
            symptoms[sighting] = try judge(shown.shown(number), line) { epoch.state(state.survivors) }
        }
        guard let symptom = symptoms[sighting] else { return false }
        seen.recordFailure(number, at: line)
        guard try countFailure(Counted(hash: state.hash, line: line), isEarly: isEarly) else { return true }
        if losses?.epoch !== epoch { losses = (epoch, epoch.set.lossTable()) }
        let failure = Failure(
            symptom, crashPoint: epoch.set.eventCount, losses: losses!.table.patterns(lostBy: state.survivors),
            state: { epoch.state(state.survivors) }, evidence: { [shown] in try shown.shown(number).evidence })
        let isKnown = countedOfAnyProfile?.insert(Counted(hash: state.hash, line: line)).inserted == false
        try explain(failure, isKnown)
        return true
    }

    /// Whether this state is counted at this line for the first time.
    private func countFailure(_ state: Counted, isEarly: Bool) throws -> Bool {
        let isNew = try seen.count(state.hash, at: state.line)
        let isFirst = isEarly ? countedEarly.insert(state).inserted : !countedEarly.contains(state)
        return isNew && isFirst
    }

    /// Returns the number of the evidence.
    @discardableResult
    func enter(_ result: RecoveryOutcome, of state: QueuedState) throws -> Int {
        let hash = state.hash
        // A state may be recovered again to see what it reads.
        let isNew = !seen.wasRecoveredEarlier(hash) && seen.shown(by: hash) == nil
        if isNew {
            counts.checked += 1
            counts.nested += result.nestedCount
            if result.isBounded { counts.boundedRecoveries += 1 }
        }
        if result.hung { counts.hung += 1 }
        // An unstable state counts whenever it was recovered.
        if let isStable = result.isStable {
            if isNew { counts.rerun += 1 }
            if !isStable { counts.unstable += 1 }
        }
        if let contradicting = result.contradicting, contradictions.count < Contradiction.keptAtMost {
            contradictions.append(
                Contradiction(
                    kind: .again, state: state.epoch.state(state.survivors), first: contradicting.first,
                    second: contradicting.second))
        }
        if try seen.enter(hash, showing: result.digest), let new = result.shown { try shown.add(new) }
        let number = seen.shown(by: hash)!
        if result.hung { unread[hash] = number }
        return number
    }

    // MARK: - On all threads

    struct RecoveryOutcome: Sendable {
        var digest: StateHash
        /// nil if evidence with this digest is already archived.
        var shown: EvidenceArchive.Item?
        var hung: Bool
        /// Whether a second recovery gave equivalent evidence; nil if there was none.
        var isStable: Bool?
        /// Both results, if they differ.
        var contradicting: (first: Evidence, second: Evidence)?
        var nestedCount = 0
        var isBounded = false
        /// What the recovery read, in order, with the values that it saw, if that was asked for.
        var reads: [(read: Read, value: StateHash)]?
    }

    /// One of this many states is recovered a second time, because the result must depend only on the state.
    static let rerunPeriod = 64

    private func recover(_ states: [QueuedState]) throws -> [RecoveryOutcome?] {
        let (recovery, nesting, seen, first, isOver) = (recovery, nesting, seen, counts.checked, isOver)
        let (spill, batchBytes) = (shown.spill, batchBytes)
        let heldBytes = Atomic<Int>(0)
        let (before, hangsAtMost) = (counts.hung, hangsAtMost)
        let hangs = Atomic<Int>(0)
        // Atomics can be captured only by non-escaping closures.
        let began = MonotonicTime.seconds()
        defer { recoveringSeconds += MonotonicTime.seconds() - began }
        let outcomes = try Parallel.map(
            states, workers: workers,
            isOver: { $0?.hung == true && before + hangs.add(1, ordering: .relaxed).newValue >= hangsAtMost },
            { index, state -> RecoveryOutcome? in
                if isOver() { return nil }
                let again = (first + index) % Self.rerunPeriod == 0
                var outcome = try Self.recover(state.epoch.set.tree(state.survivors), recovery, nesting, again: again)
                try outcome?.compact(seen, spill, heldBytes, batchBytes)
                return outcome
            })
        return outcomes.map { $0 ?? nil }
    }

    /// nil if the exploration was stopped before the state was completely checked.
    static func recover(
        _ tree: Tree, _ recovery: any StateRecoverer, _ nesting: NestedExploration?, again: Bool,
        notingReads: Bool = false
    ) throws -> RecoveryOutcome? {
        let first =
            notingReads
            ? try recovery.recoverNotingReads(tree) : try recovery.recover(tree, inFreshProcess: false)
        var shown = StateEvidence(evidence: first.evidence)
        var nested = NestedExploration.Outcome()
        if let nesting, case .opened = first.evidence.recovery {
            nested = try nesting.explore(recoveryOf: tree, recovery)
            if nested.isCutShort { return nil }
            shown.nested = nested.shown.filter { !$0.isEquivalent(to: first.evidence) }
        }
        var outcome = RecoveryOutcome(
            digest: shown.digest, shown: .inMemory(shown), hung: first.hung || nested.hung,
            nestedCount: nested.states, isBounded: nested.isBounded)
        if !first.hung, first.evidence.secondRecovery?.isHung != true {
            outcome.reads = first.reads.map { $0.map { ($0, tree.value(of: $0)) } }
        }
        if again, !first.hung {
            let second = try recovery.recover(tree, inFreshProcess: false).evidence
            let isStable = second.isEquivalent(to: first.evidence)
            outcome.isStable = isStable
            if !isStable { outcome.contradicting = (first.evidence, second) }
        }
        return outcome
    }
}

extension CheckedStates.RecoveryOutcome {
    /// Forgets evidence that is archived, and moves it to the spill file if a batch has much of it.
    mutating func compact(
        _ seen: SeenStates, _ spill: EvidenceArchive.Spill, _ heldBytes: borrowing Atomic<Int>, _ batchBytes: Int
    ) throws {
        if seen.number(ofDigest: digest) != nil { shown = nil }
        if case .inMemory(let evidence) = shown,
            heldBytes.add(evidence.sizeBytes, ordering: .relaxed).newValue > batchBytes
        {
            shown = .spilled(try spill.put(evidence))
        }
    }
}
