import Bytes
import Foundation
import Model
import Oracle
import Synchronization
import Targets

/// Checks every state that a crash could have left of one recording, or says exactly which it did not.
///
/// Only the last crash point of an epoch is looked at: between two returns of barriers, or two oracle lines, the set of
/// states only grows. (Under `kill` every event ends an epoch.) First every epoch with all optional lost and with all
/// kept, so that a small budget sees the whole run; then each epoch, exhaustively where it has few states.
///
/// States are told apart by hash, and each is recovered once. A verdict belongs to what was observed and a line of the
/// oracle, never to a state alone. What is reported does not depend on the number of threads. Not thread safe.
package final class Explorer {
    private let recording: Recording
    private let profile: Profile
    private let limits: ExplorationLimits
    private let seed: UInt64
    private let recovery: StateRecovery
    private let checker: StateChecker
    private let validator: Validator
    private let contract: Contract
    private let linesBefore: Int
    private let workers: Int

    /// By hash: the number of what was observed; `waiting` until it is recovered.
    private var table: [StateHash: Int32] = [:]
    private var evidence: [Evidence] = []
    private var evidenceNumbers: [Evidence: Int32] = [:]
    private var judged: Set<UInt64> = []
    private var waiting: [(hash: StateHash, state: CrashState)] = []
    private var batch: [(hash: StateHash, tree: Tree)] = []
    private static let unknown: Int32 = -1
    private static let batchCount = 64

    package private(set) var collector: FindingCollector
    package private(set) var coverage: Coverage
    /// States at oracle positions, equal ones counted again at each.
    package private(set) var decidedCount = 0
    /// Distinct states that were recovered.
    package private(set) var checkedCount = 0
    package private(set) var lossyCount = 0
    package private(set) var unjudged: Set<String> = []
    package private(set) var notTried: Set<Check> = []
    /// The last evidence that was right, and where: for the positive control.
    package private(set) var clean: (evidence: Evidence, line: Int)?
    private var hasHung = false

    package init(
        _ recording: Recording, profile: Profile, limits: ExplorationLimits, seed: UInt64, client: RecoverClient,
        validator: Validator, contract: Contract, linesBefore: Int, scratch: ByteString, workers: Int
    ) {
        self.recording = recording
        self.profile = profile
        self.limits = limits
        self.seed = seed
        self.validator = validator
        self.contract = contract
        self.linesBefore = linesBefore
        self.workers = max(1, workers)
        recovery = StateRecovery(recording, client: client, scratch: scratch)
        checker = StateChecker(
            recording, client: client, validator: validator, contract: contract, linesBefore: linesBefore,
            scratch: scratch.appending(component: "confirm"))
        collector = FindingCollector(recording)
        coverage = Coverage(limits: limits)
    }

    /// Looks at everything, as long as `shouldStop` answers nil; its answer says why it stopped.
    package func run(shouldStop: () -> String?, progress: (String) -> Void) throws {
        try forEachEpoch { set, lines in
            coverage.epochs += 1
            for choice in [Choice.nothing, .everything] {
                let state = set.state(choice, oracleLineCount: lines)
                try consider(state.tree.hash(payloads: recording.payloads)) { state }
            }
            return stop(shouldStop)
        }
        try flush()
        guard coverage.stopped == nil else { return }
        var number = 0
        try forEachEpoch { set, lines in
            number += 1
            progress("epoch \(number) of \(coverage.epochs), \(checkedCount) states")
            if try exhaust(set, lines, shouldStop) {
                coverage.exhaustedEpochs += 1
            } else if coverage.stopped == nil {
                try search(set, lines, shouldStop)
                if coverage.stopped == nil { coverage.searchedEpochs += 1 }
            }
            return stop(shouldStop)
        }
        try flush()
    }

    // MARK: - Epochs

    /// Calls `body` at the last crash point of each epoch until it answers true.
    private func forEachEpoch(_ body: (PendingSet, _ lines: Int) throws -> Bool) throws {
        var set = PendingSet(profile: profile, base: recording.base)
        var lines = 0
        for (index, event) in recording.events.enumerated() {
            set.add(event)
            if case .oracle = event { lines += 1 }
            let next = index + 1 < recording.events.count ? recording.events[index + 1] : nil
            guard profile == .kill || next.endsEpoch else { continue }
            if try body(set, lines) { return }
        }
    }

    private func stop(_ shouldStop: () -> String?) -> Bool {
        if coverage.stopped == nil {
            coverage.stopped = hasHung || checker.hangingCount > 0 ? "a state hangs in recovery" : shouldStop()
        }
        return coverage.stopped != nil
    }

    /// Every state of the epoch; false when there are too many, or when it is time to stop.
    private func exhaust(_ set: PendingSet, _ lines: Int, _ shouldStop: () -> String?) throws -> Bool {
        var walker = try StateWalker(set, payloads: recording.payloads)
        var fresh: [(hash: StateHash, survivors: Survivors)] = []
        var seen: Set<StateHash> = []
        var count = 0
        repeat {
            count += 1
            guard count <= limits.statesPerEpoch else { return false }
            let hash = walker.hash
            guard needsLook(hash, at: lines), seen.insert(hash).inserted else { continue }
            fresh.append((hash, walker.survivors()))
        } while try walker.next()
        decidedCount += count
        lossyCount += count - 1
        for (hash, survivors) in fresh {
            try consider(hash, isCounted: true) { set.state(survivors, oracleLineCount: lines) }
            if stop(shouldStop) { return false }
        }
        return true
    }

    /// Choices in the order of what bugs are made of: few lost, few kept, then by chance.
    private func search(_ set: PendingSet, _ lines: Int, _ shouldStop: () -> String?) throws {
        let items = set.lost(set.survivors(.nothing)).items
        func look(_ choice: Choice) throws -> Bool {
            let state = set.state(choice, oracleLineCount: lines)
            try consider(state.tree.hash(payloads: recording.payloads)) { state }
            return stop(shouldStop)
        }
        for index in items.indices {
            if try look(.losing(LostAtoms([items[index]]))) { return }
            if try look(.losing(LostAtoms(items.enumerated().filter { $0.offset != index }.map(\.element)))) { return }
        }
        if items.count <= limits.pairedAtoms {
            for one in items.indices {
                for two in items.indices where two > one {
                    if try look(.losing(LostAtoms([items[one], items[two]]))) { return }
                    let rest = items.enumerated().filter { $0.offset != one && $0.offset != two }.map(\.element)
                    if try look(.losing(LostAtoms(rest))) { return }
                }
            }
        }
        var draws = RandomStream(seed: seed).stream("explore").stream(UInt64(set.eventCount))
        for _ in 0..<limits.samplesPerEpoch where try look(.seeded(draws.next())) { return }
    }

    // MARK: - States

    /// Whether the state is new, or was not yet judged at this line.
    private func needsLook(_ hash: StateHash, at lines: Int) -> Bool {
        guard let known = table[hash], known != Explorer.unknown else { return true }
        return !judged.contains(UInt64(known) << 32 | UInt64(lines))
    }

    private func consider(_ hash: StateHash, isCounted: Bool = false, _ make: () -> CrashState) throws {
        if !isCounted { decidedCount += 1 }
        guard let known = table[hash] else {
            let state = make()
            if !isCounted, !state.lost.isEmpty { lossyCount += 1 }
            table[hash] = Explorer.unknown
            batch.append((hash, state.tree))
            waiting.append((hash, state))
            if batch.count >= Explorer.batchCount { try flush() }
            return
        }
        guard known != Explorer.unknown else { return waiting.append((hash, make())) }
        try judge(known, make())
    }

    /// What one state showed, whether it hung, and whether it showed the same once more (nil: not asked).
    private typealias Recovered = (evidence: Evidence, hung: Bool, isStable: Bool?)

    /// Recovers what waits, on all threads, and judges it in its order.
    private func flush() throws {
        let batch = batch
        self.batch = []
        let found = Mutex<[Int: Result<Recovered, any Error>]>([:])
        let next = Atomic<Int>(0)
        let first = checkedCount
        let recovery = recovery
        DispatchQueue.concurrentPerform(iterations: min(workers, batch.count)) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < batch.count else { return }
                let result = Result { () throws -> Recovered in
                    let (evidence, hung) = try recovery.recover(batch[index].tree)
                    // A sample is done again: what a recovery shows must depend on the state alone.
                    guard (first + index) % 64 == 0, !hung else { return (evidence, hung, nil) }
                    return (evidence, hung, try recovery.recover(batch[index].tree).evidence == evidence)
                }
                found.withLock { $0[index] = result }
            }
        }
        let results = found.withLock { $0 }
        for index in batch.indices {
            guard let (evidence, hung, isStable) = try results[index]?.get() else { continue }
            hasHung = hasHung || hung
            if let isStable {
                coverage.rerunStates += 1
                if !isStable { coverage.unstableStates += 1 }
            }
            table[batch[index].hash] = number(of: evidence)
        }
        checkedCount += batch.count
        let waiting = waiting
        self.waiting = []
        for (hash, state) in waiting { try judge(table[hash] ?? Explorer.unknown, state) }
    }

    private func number(of found: Evidence) -> Int32 {
        if let known = evidenceNumbers[found] { return known }
        let number = Int32(evidence.count)
        evidence.append(found)
        evidenceNumbers[found] = number
        return number
    }

    private func judge(_ number: Int32, _ state: CrashState) throws {
        guard number >= 0, judged.insert(UInt64(number) << 32 | UInt64(state.oracleLineCount)).inserted else { return }
        let evidence = evidence[Int(number)]
        let line = linesBefore + state.oracleLineCount
        let judgement = validator.judge(evidence, contract: contract, at: line)
        notTried.formUnion(judgement.notTried)
        switch judgement.verdict {
        case .pass: clean = (evidence, line)
        case .violation: try collector.add(state, judgement, checker)
        case .inconclusive, .harnessError: unjudged.formUnion(judgement.unjudged.values)
        }
    }
}

extension TraceEvent? {
    /// Whether the crash point before this event (nil: the end of the trace) is the last of its epoch.
    fileprivate var endsEpoch: Bool {
        switch self {
        case nil, .oracle, .barrierEnded: true
        default: false
        }
    }
}
