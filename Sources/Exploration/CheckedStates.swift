import Model
import Oracle
import Storage
import Synchronization

/// The states of an exploration, and what is known of them (`SeenStates`): each distinct one is recovered once, in batches on all
/// threads, and each thing that it shows is judged once at each line of the oracle at which it may stand. States that are
/// wrong are handed out one by one: two that show the same may do so for different causes.
///
/// What is reported does not depend on the number of threads: batches are judged in their order. Not thread safe.
final class CheckedStates {
    /// One thing that was shown, at one line of the oracle.
    struct Sighting: Hashable {
        var shown: Int
        var line: Int
    }

    private struct Waiting {
        var hash: StateHash
        var epoch: Epoch
        var survivors: Survivors
    }

    private let recovery: any StateRecoverer
    private let nesting: NestedExploration?
    private let workers: Int
    /// It is time to end: no further recovery is begun, and a state that is half looked at was not looked at.
    private let isOver: @Sendable () -> Bool
    /// To be read by all threads between two changes.
    let seen: SeenStates
    private let shown: EvidenceArchive
    private var judged: Set<Sighting> = []
    /// How what was judged wrong is wrong.
    private var symptoms: [Sighting: Symptom] = [:]
    /// Wrong states that were counted before all states of their epochs were walked.
    private var countedEarly: Set<Counted> = []
    /// Wrong states of all profiles, where there are several.
    private var countedOfAnyProfile: Set<Counted>?
    /// What the states of a batch may show together before the rest is put aside, in bytes.
    private let batchBytes: Int
    private var fresh: [Waiting] = []
    private var waiting: [Waiting] = []
    var counts: ExplorationCounts
    /// The first states that showed something else once more.
    private(set) var contradictions: [Contradiction] = []
    private let hangsAtMost: Int

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
        counts = earlier?.progress.counts ?? ExplorationCounts()
        // They are counted again, unless the walks are resumed, too.
        counts.beginProfile()
    }

    /// A state at a line of the oracle.
    private struct Counted: Hashable {
        var hash: StateHash
        var line: Int
    }

    /// Everything that was shown is judged again when it is met again, and wrong states are handed out as known ones if
    /// they were handed out before.
    func forgetJudgements() throws(RecordingError) {
        (judged, symptoms, countedEarly) = ([], [:], [])
        countedOfAnyProfile = countedOfAnyProfile ?? []
        try seen.forgetJudgements()
    }

    /// Takes a state, if it is worth a look.
    func take(_ hash: StateHash, _ survivors: Survivors, of epoch: Epoch) throws {
        guard seen.needsLook(hash, at: epoch.lines) else { return }
        let state = Waiting(hash: hash, epoch: epoch, survivors: survivors)
        if try seen.wait(hash, at: epoch.lines) { fresh.append(state) }
        waiting.append(state)
    }

    /// Recovers what waits, and hands out what came of that, in their order.
    ///
    /// - Parameters:
    ///   - isEarly: the states are met again when their epochs are walked.
    ///   - shouldStop: asked between batches; what then still waits is not recovered.
    ///   - judge: gets each thing that is shown at a line for the first time, and answers how it is wrong.
    ///   - explain: gets each state that is wrong, once for each line, and whether an earlier profile left it there.
    func flush(
        isEarly: Bool, shouldStop: () -> Bool, judging judge: (ShownState, CrashState) throws -> Symptom?,
        explaining explain: (Failure, _ isKnown: Bool) throws -> Void
    ) throws {
        var place = 0
        while place < fresh.count, counts.hung < hangsAtMost {
            let batch = Array(fresh[place..<min(place + recovery.batchCount, fresh.count)])
            place += batch.count
            for (state, result) in zip(batch, try recover(batch)) where counts.hung < hangsAtMost {
                // Nil when it was time to end.
                if let result { try enter(result, of: state) }
            }
            if shouldStop() { break }
        }
        let all = waiting
        (fresh, waiting) = ([], [])
        var losses: (epoch: Epoch, table: LossTable)?
        for state in all {
            let (epoch, line) = (state.epoch, state.epoch.lines)
            guard let number = seen.shown(by: state.hash) else { continue }
            let sighting = Sighting(shown: number, line: line)
            if seen.judge(number, at: line), judged.insert(sighting).inserted {
                symptoms[sighting] = try judge(shown.shown(number), epoch.state(state.survivors))
            }
            guard let symptom = symptoms[sighting] else { continue }
            seen.noteFailure(number, at: line)
            guard try countFailure(Counted(hash: state.hash, line: line), isEarly: isEarly) else { continue }
            if losses?.epoch !== epoch { losses = (epoch, epoch.set.lossTable()) }
            let failure = Failure(
                symptom, crashPoint: epoch.set.eventCount, losses: losses!.table.patterns(lostBy: state.survivors),
                state: { epoch.state(state.survivors) }, evidence: { [shown] in try shown.shown(number).evidence })
            let isKnown = countedOfAnyProfile?.insert(Counted(hash: state.hash, line: line)).inserted == false
            try explain(failure, isKnown)
        }
    }

    /// True the first time that this state is counted at this line.
    private func countFailure(_ state: Counted, isEarly: Bool) throws -> Bool {
        let isNew = try seen.count(state.hash, at: state.line)
        let isFirst = isEarly ? countedEarly.insert(state).inserted : !countedEarly.contains(state)
        return isNew && isFirst
    }

    private func enter(_ result: Outcome, of state: Waiting) throws {
        let hash = state.hash
        let isNew = !seen.wasRecoveredEarlier(hash)
        if isNew {
            counts.checked += 1
            counts.nested += result.nestedCount
            if result.isBounded { counts.boundedRecoveries += 1 }
        }
        if result.hung { counts.hung += 1 }
        // Of a state that showed something else once more it does not matter when.
        if let isStable = result.isStable {
            if isNew { counts.rerun += 1 }
            if !isStable { counts.unstable += 1 }
        }
        if let looks = result.looks, contradictions.count < Contradiction.keptAtMost {
            contradictions.append(
                Contradiction(
                    kind: .again, state: state.epoch.state(state.survivors), first: looks.first, second: looks.second))
        }
        if try seen.enter(hash, showing: result.digest), let new = result.shown { try shown.add(new) }
    }

    // MARK: - On all threads

    private struct Outcome: Sendable {
        var digest: StateHash
        /// Nil when something with this digest was shown before.
        var shown: EvidenceArchive.Item?
        var hung: Bool
        /// Whether it showed the same once more; nil: not asked.
        var isStable: Bool?
        /// What it showed when it did not.
        var looks: (first: Evidence, second: Evidence)?
        var nestedCount = 0
        var isBounded = false
    }

    /// Every so many states one is recovered once more: what a recovery shows must depend on the state alone.
    private static let rerunPeriod = 64

    private func recover(_ states: [Waiting]) throws -> [Outcome?] {
        let (recovery, nesting, seen, first, isOver) = (recovery, nesting, seen, counts.checked, isOver)
        let (aside, batchBytes) = (shown.aside, batchBytes)
        let heldBytes = Atomic<Int>(0)
        let (before, hangsAtMost) = (counts.hung, hangsAtMost)
        let hangs = Atomic<Int>(0)
        // An atomic is captured only by closures that do not escape.
        let outcomes = try Parallel.map(
            states, workers: workers,
            isOver: { $0?.hung == true && before + hangs.add(1, ordering: .relaxed).newValue >= hangsAtMost },
            { place, state -> Outcome? in
                if isOver() { return nil }
                let again = (first + place) % Self.rerunPeriod == 0
                var outcome = try Self.recover(state.epoch.set.tree(state.survivors), recovery, nesting, again: again)
                if let digest = outcome?.digest, seen.number(ofDigest: digest) != nil { outcome?.shown = nil }
                if case .inMemory(let shown) = outcome?.shown,
                    heldBytes.add(shown.sizeBytes, ordering: .relaxed).newValue > batchBytes
                {
                    outcome?.shown = .aside(try aside.put(shown))
                }
                return outcome
            })
        return outcomes.map { $0 ?? nil }
    }

    /// Nil when it was time to end before all of it was looked at.
    private static func recover(
        _ tree: Tree, _ recovery: any StateRecoverer, _ nesting: NestedExploration?, again: Bool
    ) throws -> Outcome? {
        let first = try recovery.recover(tree, isAlone: false)
        var shown = ShownState(evidence: first.evidence)
        var nested = NestedExploration.Outcome()
        if let nesting, case .opened = first.evidence.recovery {
            nested = try nesting.explore(recoveryOf: tree, recovery)
            if nested.isCutShort { return nil }
            shown.nested = nested.shown.filter { !$0.showsSame(as: first.evidence) }
        }
        var outcome = Outcome(
            digest: shown.digest, shown: .inMemory(shown), hung: first.hung || nested.hung,
            nestedCount: nested.states, isBounded: nested.isBounded)
        if again, !first.hung {
            let second = try recovery.recover(tree, isAlone: false).evidence
            let isStable = second.showsSame(as: first.evidence)
            outcome.isStable = isStable
            if !isStable { outcome.looks = (first.evidence, second) }
        }
        return outcome
    }
}
