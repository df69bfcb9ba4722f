import Bytes
import Exploration
import FaultFS
import Model
import Oracle
import Storage
import Targets

/// The power goes.
///
/// First one life of the store is recorded from beginning to end, and crashes of it are derived: right after every
/// oracle line with nothing optional kept, and at seeded points with seeded survivors. Then the power goes for real,
/// in the middle of the workload, as often as there are cycles: the mount freezes, the workload is killed, one legal
/// state is left behind, the store recovers and goes on from there. Each of these lives is swept like the first.
struct PowerCutScenario: ScenarioRun {
    let request: RunRequest
    let context: RunContext
    let program: String
    private var history = OracleHistory()
    /// What was counted so far: it stands even if the run ends early with an error.
    private(set) var tally = RunTally()
    private let client: RecoverClient
    /// What the store showed when the present life began; nil in the first.
    private var shown: Observation?

    init(_ request: RunRequest, _ context: RunContext, program: String) {
        self.request = request
        self.context = context
        self.program = program
        client = RecoverClient(request.target)
    }

    private var backing: ByteString { context.scratchFile("store") }

    mutating func run() throws {
        try RunFiles.makeDirectory(backing)
        try RunFiles.makeDirectory(context.scratchFile("states"))
        defer { try? client.close() }
        var writer = CaseWriter(request: request, context: context, program: program)
        let recorded = try live("recorded", crash: nil)
        guard recorded.termination.isSuccess else {
            throw RunError.harness("the workload \(recorded.termination) without any fault\(said(recorded))")
        }
        try sweep(recorded, linesBefore: 0, seed: request.seed, &writer)
        var stream = RandomStream(seed: request.seed).stream("live cuts")
        for cycle in 1...max(1, request.cycles) where request.cycles > 0 {
            if context.shouldStop() { throw RunError.interrupted }
            context.progress("power cut \(cycle) of \(request.cycles)")
            guard try beginNextLife() else { return }
            let (linesBefore, acknowledgedBefore) = (history.lineCount, history.acknowledged)
            let event = Int(stream.next(upperBound: UInt64(max(1, recorded.recording.events.count)))) + 1
            let crash = (point: CrashPoint(.after, event, .events), choice: Choice.seeded(stream.next()))
            let life = try live("cut-\(cycle)", crash: crash)
            if let cut = life.cut {
                tally.cuts.append(
                    RunResult.Cut(
                        cycle: cycle, acknowledged: history.acknowledged - acknowledgedBefore,
                        inFlight: history.inFlight, landed: !life.termination.isSuccess))
                try judge(cut, of: life, linesBefore: linesBefore, &writer)
            } else if !life.termination.isSuccess {
                tally.add(try refusal(life, cycle))
            }
            try sweep(life, linesBefore: linesBefore, seed: stream.next(), &writer)
        }
        if request.cycles > 0 { _ = try recoverWhatWasLeft() }
    }

    /// One life on the mount; what it wrote to the oracle is taken into the history.
    private mutating func live(
        _ name: String, crash: (point: CrashPoint, choice: Choice)?
    ) throws -> LiveCycle.Outcome {
        let cycle = LiveCycle(request: request, context: context, backing: backing, oracle: context.oracle)
        let outcome = try cycle.run(named: name, firstSeq: history.nextSeq, crash: crash)
        try history.takeWhatWasAdded(to: context.oracle)
        tally.acknowledged = history.acknowledged
        return outcome
    }

    /// The store recovers what the last life left, and what was in flight is settled by what it shows. False when it
    /// does not open any more, which is a finding.
    private mutating func beginNextLife() throws -> Bool {
        guard case .opened(let observation) = try recoverWhatWasLeft() else { return false }
        try RunFiles.append(try history.restart(showing: observation), to: context.oracle)
        shown = observation
        return true
    }

    /// The store recovers its directory as the last life really left it, and that is judged too. What a cut leaves was
    /// judged before, by a copy derived from the trace: if only the real one fails, the harness left a wrong state.
    private mutating func recoverWhatWasLeft() throws -> Recovery {
        let recovery = try client.recoverAlone(backing).recovery
        let judgement = history.validator.judge(Evidence(recovery), contract: request.contract)
        tally.decided += 1
        if judgement.verdict == .violation, tally.findings.isEmpty, let violation = judgement.violations.first {
            throw RunError.harness(
                "the state that was left in the backing directory fails and the one derived from the trace does not: "
                    + "\(violation)")
        }
        return recovery
    }

    /// The store recovered, and then its workload failed although nothing was injected.
    private func refusal(_ life: LiveCycle.Outcome, _ cycle: Int) throws -> Finding {
        try context.requireRoom("the workload")
        if life.termination.isWrongCall {
            throw RunError.harness("the workload \(life.termination): it was called wrongly\(said(life))")
        }
        return Finding(
            check: Check.writable.rawValue, strongestProfile: request.profile.rawValue, lost: [],
            story: "after recovery from power cut \(cycle - 1) the workload \(life.termination)\(said(life))", states: 1
        )
    }

    /// Judges the state that a live cut left, by a copy derived from its trace.
    private mutating func judge(
        _ cut: PowerCut, of life: LiveCycle.Outcome, linesBefore: Int, _ writer: inout CaseWriter
    ) throws {
        let state = try life.recording.state(request.profile, at: cut.eventCount, .losing(cut.lost))
        let checker = makeChecker(life, linesBefore)
        var collector = FindingCollector(life.recording)
        if try take(state, checker, &collector), tally.cuts.last?.acknowledged ?? 0 > 0 {
            let line = linesBefore + state.oracleLineCount
            var evidence = try checker.evidence(of: state.tree)
            tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract, at: line)
            tally.control(history.validator, evidence, request.contract, at: line)
        }
        tally.count(checker)
        try report(collector, life, linesBefore: linesBefore, &writer)
    }

    /// Judges one state; true when it is what the contract promises.
    @discardableResult
    private mutating func take(
        _ state: CrashState, _ checker: StateChecker, _ collector: inout FindingCollector
    ) throws -> Bool {
        if context.shouldStop() { throw RunError.interrupted }
        let judgement = try checker.check(state)
        tally.notTried.formUnion(judgement.notTried)
        switch judgement.verdict {
        case .violation: try collector.add(state, judgement, checker)
        case .pass: return true
        case .inconclusive, .harnessError: tally.unjudged.formUnion(judgement.unjudged.values)
        }
        return false
    }

    private mutating func sweep(
        _ life: LiveCycle.Outcome, linesBefore: Int, seed: UInt64, _ writer: inout CaseWriter
    ) throws {
        let checker = makeChecker(life, linesBefore)
        var collector = FindingCollector(life.recording)
        var clean: CrashState?
        try CutSweep(profile: request.profile, seed: seed).forEachState(of: life.recording) { state in
            if try take(state, checker, &collector) { clean = state }
            // Each further state that hangs would cost the timeout, and there may be hundreds.
            return checker.hangingCount == 0
        }
        tally.count(checker)
        if let clean {
            let line = linesBefore + clean.oracleLineCount
            try tally.control(history.validator, checker.evidence(of: clean.tree), request.contract, at: line)
        }
        try report(collector, life, linesBefore: linesBefore, &writer)
    }

    private mutating func report(
        _ collector: FindingCollector, _ life: LiveCycle.Outcome, linesBefore: Int, _ writer: inout CaseWriter
    ) throws {
        tally.unconfirmed += collector.unconfirmedCount
        for cause in collector.causes {
            let oracle = history.text(firstLines: linesBefore + cause.state.oracleLineCount)
            let (shown, client, seconds) = (shown, client, request.target.target.timeoutSeconds)
            try tally.add(cause) {
                var finding = try writer.write(cause, life.recording, oracle: oracle, shown: shown)
                if client.hangCount > 0 {
                    finding.story += " (the search of this life ended there: a state that hangs costs \(seconds) s)"
                }
                return finding
            }
        }
    }

    private func makeChecker(_ life: LiveCycle.Outcome, _ linesBefore: Int) -> StateChecker {
        StateChecker(
            life.recording, client: client, validator: history.validator, contract: request.contract,
            linesBefore: linesBefore, scratch: context.scratchFile("states"))
    }

    private func said(_ life: LiveCycle.Outcome) -> String {
        life.complaints.isEmpty ? "" : "; it said: \(life.complaints)"
    }
}
