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
struct PowerCutScenario {
    let request: RunRequest
    let context: RunContext
    let program: String
    private var history = OracleHistory()
    private var tally = RunTally()
    private let client: RecoverClient

    init(_ request: RunRequest, _ context: RunContext, program: String) {
        self.request = request
        self.context = context
        self.program = program
        client = RecoverClient(request.target)
    }

    private var backing: ByteString { context.scratchFile("store") }

    mutating func run() throws -> RunTally {
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
            try beginNextLife()
            let linesBefore = history.lineCount
            let event = Int(stream.next(upperBound: UInt64(max(1, recorded.recording.events.count)))) + 1
            let crash = (point: CrashPoint(.after, event, .events), choice: Choice.seeded(stream.next()))
            let life = try live("cut-\(cycle)", crash: crash)
            if let cut = life.cut { try judge(cut, of: life, linesBefore: linesBefore, &writer) }
            try sweep(life, linesBefore: linesBefore, seed: stream.next(), &writer)
        }
        tally.acknowledged = history.acknowledged
        return tally
    }

    /// One life on the mount; what it wrote to the oracle is taken into the history.
    private mutating func live(
        _ name: String, crash: (point: CrashPoint, choice: Choice)?
    ) throws -> LiveCycle.Outcome {
        let cycle = LiveCycle(request: request, context: context, backing: backing, oracle: context.oracle)
        let outcome = try cycle.run(named: name, firstSeq: history.nextSeq, crash: crash)
        let text = try RunFiles.read(context.oracle)
        try history.append(Array(text[history.text.count...]))
        return outcome
    }

    /// The store recovers what the last life left, and what was in flight is settled by what it shows.
    private mutating func beginNextLife() throws {
        let outcome = try client.recoverAlone(backing)
        guard case .opened(let observation) = outcome else {
            throw RunError.inconclusive("the store does not open any more, so that no further cycle can run")
        }
        try RunFiles.append(try history.restart(showing: observation), to: context.oracle)
    }

    /// Judges the state that a live cut left, by a copy derived from its trace.
    private mutating func judge(
        _ cut: PowerCut, of life: LiveCycle.Outcome, linesBefore: Int, _ writer: inout CaseWriter
    ) throws {
        if !life.termination.isSuccess { tally.cutsLanded += 1 }
        let state = try life.recording.state(request.profile, at: cut.eventCount, .losing(cut.lost))
        let checker = makeChecker(life, linesBefore)
        let judgement = try checker.check(state)
        guard judgement.verdict == .violation else { return }
        var collector = FindingCollector(life.recording)
        try collector.add(state, judgement, checker)
        try report(collector, life, linesBefore: linesBefore, &writer)
    }

    private mutating func sweep(
        _ life: LiveCycle.Outcome, linesBefore: Int, seed: UInt64, _ writer: inout CaseWriter
    ) throws {
        let checker = makeChecker(life, linesBefore)
        var collector = FindingCollector(life.recording)
        var clean: CrashState?
        try CutSweep(profile: request.profile, seed: seed).forEachState(of: life.recording) { state in
            if context.shouldStop() { throw RunError.interrupted }
            let judgement = try checker.check(state)
            switch judgement.verdict {
            case .violation: try collector.add(state, judgement, checker)
            case .pass: clean = state
            case .inconclusive, .harnessError: tally.unjudged.formUnion(judgement.unjudged.values)
            }
            return true
        }
        tally.decided += checker.decidedCount
        tally.checked += checker.checkedCount
        tally.statesWithLosses += checker.lossyCount
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
            let finding = try writer.write(cause, life.recording, trace: life.trace, oracle: oracle)
            tally.add(finding)
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
