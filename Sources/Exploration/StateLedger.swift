import Bytes
import Foundation
import Model
import Oracle
import Synchronization

/// What is known of the states that an exploration has met: each distinct one is recovered once, in batches on all
/// threads, and each thing that it shows is judged once at each line of the oracle at which it may stand.
///
/// What is reported does not depend on the number of threads: batches are judged in their order. Not thread safe.
struct StateLedger {
    /// What a state shows: its recovery, and the recoveries after crashes of that recovery where they differ from it.
    struct Shown: Hashable, Sendable {
        var evidence: Evidence
        var nested: [Evidence] = []
    }

    private struct Waiting {
        var hash: StateHash
        var epoch: Epoch
        var survivors: Survivors
    }

    private let recovery: any StateRecoverer
    private let nesting: NestedExploration?
    private let workers: Int
    /// By hash: the number of what was shown. While it waits: −1 − the last line at which it does.
    private var index = StateIndex()
    private(set) var shown: [Shown] = []
    private var shownByHash: [Int: [Int32]] = [:]
    /// For each shown: the last line at which it was judged.
    private var lastJudged: [Int] = []
    private var judged: Set<UInt64> = []
    private var fresh: [Waiting] = []
    private var waiting: [Waiting] = []
    /// Small enough for a budget to end in time, large enough to keep all threads at work.
    private let batchCount = 256

    /// Distinct states that were recovered.
    private(set) var checkedCount = 0
    private(set) var rerunCount = 0
    private(set) var unstableCount = 0
    private(set) var nestedCount = 0
    private(set) var boundedRecoveryCount = 0
    private(set) var hasHung = false

    init(recovery: any StateRecoverer, nesting: NestedExploration?, workers: Int) {
        self.recovery = recovery
        self.nesting = nesting
        self.workers = max(1, workers)
    }

    /// How many distinct states were met.
    var distinctCount: Int { index.count }
    var isBatchFull: Bool { fresh.count >= batchCount || waiting.count >= 16 * batchCount }

    /// Whether the state is new, or was not yet judged at this line.
    @inline(__always)
    func needsLook(_ hash: StateHash, at line: Int) -> Bool {
        guard let number = index[hash] else { return true }
        return number < 0 ? number != -1 - Int32(line) : lastJudged[Int(number)] != line
    }

    /// Takes a state of which `needsLook` was true.
    mutating func take(_ hash: StateHash, _ survivors: Survivors, of epoch: Epoch) {
        let state = Waiting(hash: hash, epoch: epoch, survivors: survivors)
        let number = index[hash]
        if number == nil { fresh.append(state) }
        if number ?? -1 < 0 { index[hash] = -1 - Int32(epoch.lines) }
        waiting.append(state)
    }

    /// Recovers what waits, and hands each thing that is shown at a line for the first time to `judge`, in their order.
    mutating func flush(_ judge: (Shown, CrashState) throws -> Void) throws {
        let states = fresh
        fresh = []
        for (state, result) in zip(states, try recover(states)) {
            // After one that hung no other was begun.
            guard let result else { continue }
            checkedCount += 1
            hasHung = hasHung || result.hung
            nestedCount += result.nestedCount
            if result.isBounded { boundedRecoveryCount += 1 }
            if let isStable = result.isStable {
                rerunCount += 1
                if !isStable { unstableCount += 1 }
            }
            index[state.hash] = number(of: result)
        }
        let all = waiting
        waiting = []
        for state in all {
            guard let number = index[state.hash], number >= 0, lastJudged[Int(number)] != state.epoch.lines else {
                continue
            }
            lastJudged[Int(number)] = state.epoch.lines
            guard judged.insert(UInt64(number) << 32 | UInt64(state.epoch.lines)).inserted else { continue }
            try judge(shown[Int(number)], state.epoch.state(state.survivors))
        }
    }

    private mutating func number(of result: Outcome) -> Int32 {
        for number in shownByHash[result.hash] ?? [] where shown[Int(number)] == result.shown { return number }
        let number = Int32(shown.count)
        shown.append(result.shown)
        lastJudged.append(-1)
        shownByHash[result.hash, default: []].append(number)
        return number
    }

    // MARK: - On all threads

    private struct Outcome: Sendable {
        var shown: Shown
        var hash: Int
        var hung: Bool
        /// Whether it showed the same once more; nil: not asked.
        var isStable: Bool?
        var nestedCount = 0
        var isBounded = false
    }

    /// Every so many states one is recovered once more: what a recovery shows must depend on the state alone.
    private static let rerunPeriod = 64

    private func recover(_ states: [Waiting]) throws -> [Outcome?] {
        let (recovery, nesting, first) = (recovery, nesting, checkedCount)
        let found = Mutex<[Result<Outcome, any Error>?]>(Array(repeating: nil, count: states.count))
        let next = Atomic<Int>(0)
        let someHung = Atomic<Bool>(false)
        // A few at a time: most of the threads' time is not to go into taking turns.
        let stride = max(1, min(16, states.count / (4 * workers)))
        DispatchQueue.concurrentPerform(iterations: min(workers, states.count)) { _ in
            while true {
                let begin = next.add(stride, ordering: .relaxed).oldValue
                guard begin < states.count, !someHung.load(ordering: .relaxed) else { return }
                let range = begin..<min(begin + stride, states.count)
                let results = range.map { place in
                    Result {
                        let tree = states[place].epoch.set.tree(states[place].survivors)
                        return try Self.recover(
                            tree, recovery, nesting, again: (first + place) % Self.rerunPeriod == 0)
                    }
                }
                let hung = results.contains { (try? $0.get().hung) == true }
                if hung { someHung.store(true, ordering: .relaxed) }
                found.withLock { found in
                    for (place, result) in zip(range, results) { found[place] = result }
                }
            }
        }
        return try found.withLock { $0 }.map { try $0?.get() }
    }

    private static func recover(
        _ tree: Tree, _ recovery: any StateRecoverer, _ nesting: NestedExploration?, again: Bool
    ) throws -> Outcome {
        let first = try recovery.recover(tree, isAlone: false)
        var outcome = Outcome(shown: Shown(evidence: first.evidence), hash: 0, hung: first.hung)
        if again, !first.hung {
            outcome.isStable = try recovery.recover(tree, isAlone: false).evidence == first.evidence
        }
        if let nesting, case .opened = first.evidence.recovery {
            let nested = try nesting.explore(recoveryOf: tree, recovery)
            outcome.nestedCount = nested.states
            outcome.isBounded = nested.isBounded
            outcome.shown.nested = nested.shown.filter { $0 != first.evidence }
        }
        outcome.hash = outcome.shown.quickHash
        return outcome
    }
}

extension StateLedger.Shown {
    /// Equal for equal ones, and cheap to have: what has equal hashes is compared.
    fileprivate var quickHash: Int {
        var hasher = Hasher()
        for evidence in [evidence] + nested {
            hasher.combine(evidence.probe)
            for recovery in [evidence.recovery, evidence.secondRecovery] {
                switch recovery {
                case nil: hasher.combine(0)
                case .failed(let reason): hasher.combine(reason)
                case .opened(let observation): hasher.combine(observation.checksum)
                }
            }
        }
        return hasher.finalize()
    }
}

extension Observation {
    fileprivate var checksum: UInt64 {
        var sum = UInt64(entries.count)
        for entry in entries {
            sum = sum &* 0x9E37_79B9_7F4A_7C15
            sum ^= UInt64(CRC32C.checksum(entry.key.bytes)) << 32 | UInt64(CRC32C.checksum(entry.payload))
        }
        return sum
    }
}
