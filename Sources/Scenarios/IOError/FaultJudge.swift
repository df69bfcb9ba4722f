import Bytes
import Exploration
import Model
import Oracle
import Runs
import Storage
import Targets

/// Judges a store that met a fault.
package struct FaultJudge {
    /// A violation by the store.
    package struct Failure {
        /// Where the violation shows.
        enum Evidence {
            /// In a stored state, judged by the contract. Without a look it is the state after a power cut.
            case state(CrashState, Contract, CrashStory.ObservationMode?)
            /// In the live store, after this many events.
            case live(eventCount: Int)
        }

        package var violation: Violation
        package var fact: FaultFact
        var evidence: Evidence
        /// The store's error message, if it is part of the violation.
        package var error: String?

        /// - Parameter error: the store's message; by default that of the violation.
        init(_ violation: Violation, _ fact: FaultFact, _ evidence: Evidence, error: String? = nil) {
            self.violation = violation
            self.fact = fact
            self.evidence = evidence
            self.error = error ?? violation.error
        }

        package var check: Check { violation.check }

        package var look: CrashStory.ObservationMode? {
            if case .state(_, _, let look) = evidence { look } else { .live }
        }

        /// The stored state and its contract; nil for a violation in a live store.
        package var state: (state: CrashState, contract: Contract)? {
            if case .state(let state, let contract, _) = evidence { (state, contract) } else { nil }
        }

        /// The state for the story; for a live store the whole state at that event.
        func failingState(of outcome: FaultTrial.Outcome) throws -> FailingState {
            let seen: CrashState =
                switch evidence {
                case .state(let state, _, _): state
                case .live(let count): try outcome.recording.wholeState(at: count)
                }
            return FailingState(
                outcome.recording, seen, violation, linesBefore: 0, faults: outcome.faults, look: look)
        }
    }

    package let request: RunRequest
    package let guarantee: FaultFamily.Guarantee
    let outcome: FaultTrial.Outcome
    package let client: RecoverClient
    package let scratch: ByteString
    /// The store's directory after the second life.
    package let backing: ByteString
    private let memory: MemoryBudget
    private let activity: Activity
    private let wording: any Wording
    /// Whether to begin no further optional checks. Earlier failures are kept.
    private let isOver: () -> Bool

    init(
        request: RunRequest, guarantee: FaultFamily.Guarantee, outcome: FaultTrial.Outcome, client: RecoverClient,
        scratch: ByteString, backing: ByteString, memory: MemoryBudget, activity: Activity, wording: any Wording,
        isOver: @escaping () -> Bool
    ) {
        self.request = request
        self.guarantee = guarantee
        self.outcome = outcome
        self.client = client
        self.scratch = scratch
        self.backing = backing
        self.memory = memory
        self.activity = activity
        self.wording = wording
        self.isOver = isOver
    }

    /// The contract of stored states without a power cut. After wrong bytes it is only `.prefix`; a sync that lied
    /// loses nothing then, so `.prefix` guarantees keep the full contract.
    private var contract: Contract { guarantee == .corruptionDetection ? .prefix : request.contract }

    /// Judges all observations and stored states, in order.
    package func judge(_ tally: inout RunTally) throws -> [Failure] {
        try refuseDelaysThatHang()
        var failures: [Failure] = []
        failures += hangs(outcome.first, isAfterFault: false)
        failures += judgeUnderRules(&tally)
        let end = outcome.recording.events.count
        if isStoredWhenWritten || outcome.second == nil {
            failures += try judgeStoredMeanwhile(&tally)
            failures += try judgeStored(
                at: isStoredWhenWritten ? outcome.first.eventCount : end, .afterFault, &tally)
        }
        if let second = outcome.second {
            failures += hangs(second, isAfterFault: true)
            if !second.termination.isSuccess, second.termination != .timedOut, guarantee != .corruptionDetection {
                failures.append(
                    inLife(second, .nextWorkloadFailed(second.end), error: "the workload \(second.end)"))
            }
            failures += try judgeStored(at: end, .afterAnotherLife, &tally)
            if failures.isEmpty { try compareWithBacking() }
        }
        if guarantee == .prefix { failures += try judgeCuts(&tally) }
        return failures
    }

    /// Throws if the rules delayed the store for its whole timeout: then a hang cannot be told from the delay.
    private func refuseDelaysThatHang() throws(RunError) {
        let timeout = request.target.target.timeoutSeconds
        func require(_ what: String, in events: Range<Int>) throws(RunError) {
            let delay = outcome.delaySeconds(in: events)
            guard delay >= Double(timeout) else { return }
            throw .inconclusive(
                "the rules held \(what) up for \(Int(delay)) s, and it counts as hung after \(timeout) s: "
                    + "use a shorter delay, or a manifest with a longer timeoutSeconds")
        }
        if outcome.first.termination == .timedOut { try require("the workload", in: 0..<outcome.first.eventCount) }
        if case .hangs? = outcome.underRules {
            try require("recovery", in: outcome.first.eventCount..<outcome.underRulesEventCount)
        }
    }

    private func hangs(_ life: FaultTrial.Life, isAfterFault: Bool) -> [Failure] {
        life.termination == .timedOut ? [inLife(life, .hung(isAfterFault: isAfterFault))] : []
    }

    /// The failure that the end of a life shows.
    private func inLife(_ life: FaultTrial.Life, _ fact: FaultFact, error: String? = nil) -> Failure {
        Failure(
            Violation(check: .writable, detail: wording.words(for: fact)), fact, .live(eventCount: life.eventCount),
            error: error)
    }

    /// Judges the recovery under the rules. The store may refuse to open, but must not show wrong data.
    private func judgeUnderRules(_ tally: inout RunTally) -> [Failure] {
        switch outcome.underRules {
        case .opened(let observation)?:
            let judgement = outcome.history.validator.judge(
                observation, contract: contract, at: outcome.first.lineCount)
            tally.counts.decided += 1
            tally.unjudged.formUnion(judgement.unjudged.values)
            return judgement.violations.prefix(1).map {
                Failure(
                    $0, .shownUnderRule($0), .live(eventCount: outcome.underRulesEventCount))
            }
        case .hangs(let seconds)?:
            let fact = FaultFact.recoveryHungUnderRule(seconds: seconds)
            return [
                Failure(
                    Violation(check: .opens, detail: wording.words(for: fact)), fact,
                    .live(eventCount: outcome.underRulesEventCount))
            ]
        case .doesNotOpen?, .killed?, .diedAfterAnswering?, nil: return []
        }
    }

    /// Judges the stored state at `crashPoint`, without caches: every write that no fault undid must be there.
    private func judgeStored(at crashPoint: Int, _ place: FaultFact.StoredAt, _ tally: inout RunTally) throws
        -> [Failure]
    {
        let state = try outcome.recording.wholeState(at: crashPoint)
        let checker = checker(contract)
        let judgement = try checker.confirm(state)
        tally.counts.decided += 1
        tally.count(checker)
        tally.notTried.formUnion(judgement.notTried)
        tally.unjudged.formUnion(judgement.unjudged.values)
        guard judgement.verdict == .violation, let violation = judgement.violations.first else {
            if judgement.verdict == .pass {
                var evidence = try checker.evidence(of: state.tree)
                if outcome.second?.termination.isSuccess == true, crashPoint > outcome.first.eventCount {
                    tally.noteWrites(
                        afterRecoveryIn: &evidence, outcome.history.validator, contract, at: state.oracleLineCount)
                }
                // A store under a weaker contract may have kept everything; then the control covers every check.
                let (validator, line) = (outcome.history.validator, state.oracleLineCount)
                let isWhole = validator.judge(evidence, contract: request.contract, at: line).verdict != .violation
                tally.control(validator, evidence, isWhole ? request.contract : contract, at: line)
            }
            return []
        }
        if violation.check == .opens, guarantee == .corruptionDetection { return [] }
        return [
            Failure(violation, .stored(place, violation), .state(state, contract, .storage))
        ]
    }

    /// Whether the stored state is what the store's processes see. Data in a shared mapping is in the page cache until
    /// the kernel writes it, at the latest at the unmount.
    private var isStoredWhenWritten: Bool { outcome.recording.mappedFiles.isEmpty }

    /// The limit of acknowledgements to check after the fault.
    private static let pointLimit = 24

    /// Judges the stored states at acknowledgements after the fault: later writes may hide missing data.
    private func judgeStoredMeanwhile(_ tally: inout RunTally) throws -> [Failure] {
        guard isStoredWhenWritten else { return [] }
        let events = outcome.recording.events
        let fault = events.firstIndex { if case .fault = $0 { true } else { false } } ?? events.count
        let points = outcome.recording.oracleLines.map(\.crashPoint)
            .filter { $0 > fault && $0 < outcome.first.eventCount }
        let step = max(1, (points.count + Self.pointLimit - 1) / Self.pointLimit)
        let checker = checker(contract)
        defer { tally.count(checker) }
        for (index, point) in points.enumerated() where index % step == 0 && !isOver() {
            let state = try outcome.recording.wholeState(at: point)
            guard try checker.check(state).verdict == .violation,
                let violation = try checker.confirm(state).violations.first
            else { continue }
            if violation.check == .opens, guarantee == .corruptionDetection { continue }
            return [
                Failure(
                    violation, .stored(.event(point), violation),
                    .state(state, contract, .storage))
            ]
        }
        return []
    }

    /// Judges power cuts after syncs that lied, on a disk that otherwise keeps the order. The store must open with a
    /// prefix.
    private func judgeCuts(_ tally: inout RunTally) throws -> [Failure] {
        let checker = checker(.prefix)
        var failures: [Failure] = []
        var sweep = CutSweep(profile: .strict, seed: request.seed)
        (sweep.seededPointCount, sweep.choicesPerPoint, sweep.namePointCount) = (16, 1, 8)
        try sweep.forEachState(of: outcome.recording) { state in
            guard !isOver() else { return false }
            let judgement = try checker.check(state)
            guard judgement.verdict == .violation, let violation = try checker.confirm(state).violations.first else {
                return true
            }
            failures.append(
                Failure(
                    violation, .powerCut(eventCount: state.crashPoint, violation),
                    .state(state, .prefix, nil)))
            return false
        }
        tally.count(checker)
        return failures
    }

    /// The state derived from the trace must match the directory: if only the directory fails, the harness is wrong.
    private func compareWithBacking() throws {
        let links = try Tree(skeletonOf: backing).escapingLinks()
        let recovery = try client.confined(for: links, in: scratch).recoverAlone(backing).recovery
        let judgement = outcome.history.validator.judge(Evidence(recovery), contract: contract)
        guard judgement.verdict == .violation, let violation = judgement.violations.first else { return }
        if violation.check == .opens, guarantee == .corruptionDetection { return }
        throw RunError.harness(
            "the state in the backing directory fails and the one derived from the trace does not: \(violation)")
    }

    private func checker(_ contract: Contract) -> StateChecker {
        let checker = StateChecker(
            outcome.recording, client: client, validator: outcome.history.validator, contract: contract,
            linesBefore: 0, scratch: scratch, memory: memory)
        checker.willRecover = { [activity] in activity.willRecover() }
        return checker
    }
}
