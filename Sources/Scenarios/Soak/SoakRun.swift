import Bytes
import Exploration
import FaultFS
import Glibc
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Works on one store for a long time.
///
/// A cycle is a life of the store on a FaultFS mount, which ends with a close, a kill, a power cut or a fault, in turn,
/// and the recovery of what it left. The recovered content is validated, and becomes the beginning of the next oracle: so
/// neither the oracle nor the validator grows with the run. The next cycle goes on with the same store. What the
/// processes and directories use is measured all the time, and `GrowthJudge` decides whether it grows without bound.
struct SoakRun: ScenarioRun {
    let scenario: SoakScenario
    /// With the operations of one life.
    let request: RunRequest
    let context: RunContext
    private let writer: CaseWriter
    private(set) var tally = RunTally()
    private let client: RecoverClient
    private var history: OracleHistory
    private var stream: RandomStream
    private var faults = SoakFaults()
    /// Of the last life that was not disturbed.
    private var planner: CutPlanner?
    private var wholeLifeCount = 0
    private var meter: SoakMeter
    private var cycle = 0

    init(_ scenario: SoakScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        var request = request
        request.operationCount = UInt64(scenario.lifeOperationCount)
        request.shape.durationSeconds = SoakScenario.longestLifeSeconds
        (self.scenario, self.request, self.context) = (scenario, request, context)
        writer = CaseWriter(request: request, context: context, program: program)
        client = RecoverClient(request.target)
        history = OracleHistory(context.oracle, context.memory)
        stream = RandomStream(seed: request.seed).stream("soak")
        meter = SoakMeter(context, durationSeconds: scenario.durationSeconds)
    }

    private var backing: ByteString { context.scratchFile("store") }
    private var timings: ByteString { context.scratchFile("timings") }

    mutating func run() throws {
        try request.target.makeStore(at: backing)
        defer { try? client.close() }
        tally.soak = SoakResult()
        let ending = Result { try runCycles() }
        // After an interruption and an error, too, what was measured is kept.
        try meter.end(&tally.soak!, cycles: cycle, acknowledged: tally.acknowledged)
        try ending.get()
    }

    private mutating func runCycles() throws {
        var goesOn = true
        while goesOn, !meter.isOver {
            if context.shouldStop() { throw RunError.interrupted }
            cycle += 1
            let kind = SoakResult.Cycle.at(cycle)
            context.progress(RunProgress("\(meter.words), cycle \(cycle): \(kind.rawValue)"))
            goesOn = try turn(kind)
            try meter.tick(&tally.soak!, cycles: cycle, acknowledged: tally.acknowledged)
            if !tally.soak!.growths.isEmpty { goesOn = false }
        }
    }

    // MARK: - A cycle

    /// A life of the store, and what was done to it.
    private struct Life {
        var kind: SoakResult.Cycle
        var outcome: LiveCycle.Outcome
        var rules: [Rule] = []
        var acknowledged = 0

        /// Whether what was done hit the store at work.
        var hasLanded: Bool {
            switch kind {
            case .reopen: outcome.termination.isSuccess
            case .kill: outcome.termination == .signalled(SIGKILL)
            case .powerCut: outcome.cut != nil && !outcome.termination.isSuccess
            case .ioError: !outcome.life.faults.isEmpty
            }
        }

        /// Whether it ended in another way than was meant.
        var hasFailed: Bool {
            switch kind {
            case .reopen: !outcome.termination.isSuccess
            case .kill, .powerCut: !outcome.termination.isSuccess && !hasLanded
            case .ioError: outcome.life.faults.isEmpty && !outcome.termination.isSuccess
            }
        }
    }

    /// One life and its recovery. False if the store cannot go on.
    private mutating func turn(_ kind: SoakResult.Cycle) throws -> Bool {
        var done = try live(kind)
        // Rules that the mount refuses are left out from then on.
        for _ in FaultFamily.all where done == nil { done = try live(kind) }
        guard let life = done else { return true }
        var count = tally.soak!.count(of: kind)
        count.done += 1
        if life.hasLanded { count.landed += 1 }
        tally.soak!.cycles[kind.rawValue] = count
        if kind == .ioError, life.hasLanded { tally.faultsFired += 1 }
        if cycle == 1, !life.outcome.termination.isSuccess {
            throw RunError.failedWithoutFault(life.outcome.end, wroteLines: history.lineCount)
        }
        if life.hasFailed || life.outcome.termination == .timedOut {
            try addRefusal(life)
            return false
        }
        return try judge(life)
    }

    /// Runs the store until its close, kill, power cut or fault. Nil if there is no fault to try.
    private mutating func live(_ kind: SoakResult.Cycle) throws -> Life? {
        var killAt: Int?
        var crash: LiveCycle.Crash?
        var rules: [Rule] = []
        switch kind {
        case .reopen: rules = try faults.countingRules()
        case .kill: killAt = 1 + Int(stream.next(upperBound: UInt64(max(1, wholeLifeCount * 9 / 10))))
        case .powerCut:
            let aims: [CutAim.Phase] = [.work, .create, .work, .rename, .work, .unlink]
            let aim = aims[cycle / SoakResult.Cycle.allCases.count % aims.count]
            let placement = planner?.place(aim, &stream) ?? planner?.place(.work, &stream)
            crash = placement.map { LiveCycle.Crash(trigger: $0.trigger, choice: .seeded(stream.next())) }
        case .ioError:
            let files = TreeListing.paths(beneath: backing).filter {
                RunFiles.isRegularFile(backing.appending(component: $0))
            }
            guard let rule = try faults.draw(&stream, files: files) else { return nil }
            rules = [rule]
        }
        try? RunFiles.remove(timings)
        // Each oracle begins at 1, so only another seed gives other values.
        var request = request
        request.seed &+= UInt64(cycle - 1)
        let sampler = UsageSampler(oracle: context.oracle, linesBefore: history.takenBytes, killAt: killAt)
        var live = LiveCycle(
            request: request, context: context, backing: backing, oracle: context.oracle, rules: rules)
        live.timings = timings
        live.onStart = { sampler.start($0) }
        let result = Result { [seq = history.nextSeq] in try live.run(named: "life", firstSeq: seq, crash: crash) }
        meter.add(life: sampler.finish(), timings: timings, isWhole: kind == .reopen)
        // A recording keeps its trace open.
        try RunFiles.remove(context.file("life.trace"))
        let outcome: LiveCycle.Outcome
        do { outcome = try result.get() } catch MountError.rule(let rule, _) {
            try faults.refuse(rule)
            return nil
        }
        let before = history.acknowledged
        try history.readNewLines()
        let life = Life(kind: kind, outcome: outcome, rules: rules, acknowledged: history.acknowledged - before)
        tally.acknowledged += life.acknowledged
        if kind == .reopen {
            planner = CutPlanner(outcome.recording)
            wholeLifeCount = life.acknowledged
            faults.take(outcome.life.rules)
        }
        return life
    }

    // MARK: - Judging

    /// Recovers the store, validates it, and begins the next oracle with what it showed. False if it cannot go on.
    private mutating func judge(_ life: Life) throws -> Bool {
        // Recovery changes the files, and a case needs them as the fault left them.
        let image = context.scratchFile("image")
        try? TreeRemoval.remove(image)
        try TreeCopy.copy(backing, to: image)
        let links = try Tree(skeletonOf: backing).escapingLinks()
        let client = try client.confined(for: links, in: context.scratch)
        let began = MonotonicTime.seconds()
        let first = try client.recoverAlone(backing) { [backing] in
            try TreeRemoval.remove(backing)
            try TreeCopy.copy(image, to: backing)
        }
        let seconds = MonotonicTime.seconds() - began
        if cycle == 1 { try RecoveryControl(request, context).require(first.recovery, links: links) }
        meter.add(recovery: seconds, store: backing, image: image)
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(backing).recovery }
        if !evidence.isOpenThroughout { try context.requireRoom("recovering the store") }
        if cycle > 1, life.acknowledged > 0 {
            tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract)
        }
        let judgement = history.validator.judge(evidence, contract: request.contract)
        tally.counts.decided += 1
        tally.counts.checked += 1
        if life.outcome.cut?.lost.isEmpty == false { tally.counts.lossy += 1 }
        tally.notTried.formUnion(judgement.notTried)
        tally.unjudged.formUnion(judgement.unjudged.values)
        for check in judgement.broken {
            guard let violation = judgement.violations.first(where: { $0.check == check }) else { continue }
            let cause = Cause(
                check, error: violation.error, hasAcknowledged: judgement.hasAcknowledged, isHang: judgement.isHang)
            let (writer, fact, oracle) = (writer, fact(life, violation), try history.text(firstLines: .max))
            try tally.add(cause, error: violation.error) {
                try writer.write(killed: image, cause, fact, oracle: oracle, shown: nil)
            }
        }
        guard tally.findings.isEmpty, case .opened(let observation) = first else { return false }
        if cycle % Self.cyclesOfControl == 1 {
            tally.control(history.validator, evidence, request.contract, at: history.lineCount)
        }
        try beginOracle(with: observation)
        return true
    }

    /// How many cycles share a positive control, which takes as long as several validations.
    private static let cyclesOfControl = 8

    private func fact(_ life: Life, _ violation: Violation) -> FindingFact {
        switch life.kind {
        case .reopen: .withoutFault(violation)
        case .kill: .kill(KillFact(number: cycle, acknowledged: life.acknowledged, asked: nil), violation)
        case .powerCut:
            .crash(
                CrashFact(
                    eventCount: life.outcome.cut?.eventCount ?? life.outcome.recording.events.count,
                    lost: life.outcome.cut?.lossDescriptions ?? [], violation))
        case .ioError:
            .faults(
                life.rules, life.outcome.life.faults, end: life.outcome.termination, .stored(.afterFault, violation))
        }
    }

    /// Replaces the oracle by one that has just stored what the store shows.
    private mutating func beginOracle(with observation: Observation) throws {
        var text: [UInt8] = []
        for (index, entry) in observation.entries.enumerated() {
            let operation = OracleOperation.put(UInt64(index + 1), entry.key, entry.payload)
            OracleLine.begin(operation).append(to: &text)
            OracleLine.acknowledged(operation).append(to: &text)
        }
        try RunFiles.remove(context.oracle)
        try OutputFile.append(text, to: context.oracle)
        history = OracleHistory(context.oracle, context.memory)
        try history.readNewLines()
    }

    /// The store recovered, and then its workload failed or hung without an injected fault, or hung after one.
    private mutating func addRefusal(_ life: Life) throws {
        try context.requireRoom("the workload")
        if life.outcome.termination.isUsageError { throw RunError.calledWrongly(life.outcome.end) }
        let said = "the workload \(life.outcome.end)"
        let story =
            life.outcome.life.faults.isEmpty
            ? FindingFact.workloadFailed(after: .soakCycle(cycle - 1), life.outcome.end)
            : .faults(
                life.rules, life.outcome.life.faults, end: life.outcome.termination, .hung(isAfterFault: false))
        let finding = Finding(
            check: .writable, strongestProfile: .profile(request.profile), lost: [],
            story: context.wording.words(for: story), states: 1)
        let cause = Cause(.writable, error: said, hasAcknowledged: tally.acknowledged > 0)
        tally.add(cause, error: said) { finding }
    }
}
