import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Cuts the power.
///
/// First it records one life of the store without a cut and derives crashes: after every oracle line with nothing
/// optional kept, at seeded points, and around changes of names with seeded survivors. Then it cuts the power on the
/// mount: at seeded moments of the workload, once for each cycle, and once at each usual aim (create, rename, unlink,
/// recovery). A cut freezes the mount, kills the workload and leaves one legal state; the store recovers and continues
/// from it. Crashes near each cut are derived as in the first life.
struct PowerCutRun: ScenarioRun {
    package let scenario: PowerCutScenario
    package let request: RunRequest
    package let context: RunContext
    private let writer: CaseWriter
    package private(set) var history: OracleHistory
    /// The counts and findings so far. They are kept if the run ends with an error.
    package var tally = RunTally()
    package let client: RecoverClient
    /// The observation at the start of this life; nil in the first life.
    private var shown: Observation?
    /// The files that lives so far stored to through shared mappings: the trace of a life that ends in a cut may not
    /// show them.
    private var mappedFiles: [String] = []
    /// The number of lives with each name.
    private var lives: [String: Int] = [:]
    /// Decides the places of cuts and the surviving changes.
    package var stream: RandomStream
    private let budget: TimeBudget
    private let activity: Activity
    /// Whether the current part was not cut short so far.
    var isPartComplete = true

    package init(_ scenario: PowerCutScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        self.scenario = scenario
        self.request = request
        self.context = context
        writer = CaseWriter(request: request, context: context, program: program)
        client = RecoverClient(request.target)
        history = OracleHistory(context.oracle, context.memory)
        stream = RandomStream(seed: request.seed).stream("live cuts")
        activity = Activity(context.progress)
        budget = TimeBudget(began: MonotonicTime.seconds(), seconds: scenario.budget?.seconds)
    }

    /// Whether to check no further states: the part's share of the budget is used up, or the run was interrupted.
    package var isOver: Bool { context.shouldStop() || budget.isUsedUp }

    package var backing: ByteString { context.scratchFile("store") }

    package mutating func run() throws {
        try request.target.makeStore(at: backing, runsInit: !scenario.includesInit)
        try RunFiles.makeDirectory(context.scratchFile("states"))
        defer { try? client.close() }
        activity.begin("recording")
        let recorded = try live("recorded", crash: nil, runsInit: scenario.includesInit)
        guard recorded.termination.isSuccess else {
            throw RunError.failedWithoutFault(
                recorded.end, wroteLines: history.lineCount)
        }
        try RecoveryControl(request, context).require(endOf: recorded.recording)
        let aims = scenario.cuts.aims
        let whole = CutSweep(profile: request.profile, seed: request.seed)
        try part(1, of: 1 + aims.count, "the recorded life") {
            try $0.sweep(recorded.recording, linesBefore: 0, whole)
            return true
        }
        let planner = CutPlanner(recorded.recording)
        for (index, aim) in aims.enumerated() {
            let goesOn = try part(2 + index, of: 1 + aims.count, "power cut \(index + 1) of \(aims.count), \(aim)") {
                try $0.cut(PlannedCut(cycle: index + 1, aim: aim), planner)
            }
            guard goesOn else { return }
        }
        if !aims.isEmpty { _ = try recoverSurvivingStore() }
    }

    /// Does one part of the run, unless the budget is used up, and counts it if it was not cut short. The first part
    /// may use half of the budget; the others share the rest.
    ///
    /// - Returns: the result of `body`; true if the part was left out.
    @discardableResult
    private mutating func part(
        _ number: Int, of count: Int, _ what: String, _ body: (inout PowerCutRun) throws -> Bool
    ) throws -> Bool {
        if context.shouldStop() { throw RunError.interrupted }
        if scenario.budget?.seconds != nil, tally.parts == nil { tally.parts = .init(0, of: count, .parts) }
        activity.begin(what)
        budget.share(among: number == 1 ? min(2, count) : count - number + 1)
        guard !budget.isUsedUp else { return true }
        isPartComplete = true
        let goesOn = try body(&self)
        if isPartComplete {
            tally.parts?.epochs += 1
            tally.parts?.exhaustive += 1
        }
        return goesOn
    }

    /// A planned cut.
    package struct PlannedCut {
        package var cycle: Int
        package var aim: CutAim

        package func report(_ outcome: CutReport.Outcome, _ placement: CutPlacement?) -> CutReport {
            CutReport(aim: aim, outcome: outcome, cycle: cycle, placed: placement.map { "\($0)" })
        }
    }

    /// A life that ended with a power cut.
    struct CutLife {
        package var recording: Recording
        package var cut: PowerCut
        package var hit: CutHit?
        package var linesBefore: Int
        /// Whether the state after the cut keeps every promise.
        var keepsPromises = false
    }

    // MARK: - Cuts

    /// Runs the store until the power cut at `aim`. False if the store no longer opens.
    private mutating func cut(_ aim: PlannedCut, _ planner: CutPlanner) throws -> Bool {
        switch aim.aim {
        case .phase(.recovery): return try cutRecovery(aim, planner)
        case .rule(let rule): return try cut(aim, at: CutPlacement(rule)) != nil
        case .phase(let phase):
            if let placement = planner.place(phase, &stream) { return try cut(aim, at: placement) != nil }
            var report = aim.report(.notTried, nil)
            report.detail = context.wording.words(for: .noSuchOperation)
            tally.aims.append(report)
            return true
        }
    }

    /// The result of a life with a planned power cut.
    package enum Attempt {
        case cut(CutLife)
        /// No place that was tried was reached.
        case missed
    }

    /// Runs the store until the power cut at `placement`. The place was counted in another life, so this one may not
    /// reach it: then the next life tries an earlier place. nil if the store no longer opens.
    package mutating func cut(_ aim: PlannedCut, at placement: CutPlacement) throws -> Attempt? {
        var next: CutPlacement? = placement
        while let placement = next {
            guard try beginNextLife() else { return nil }
            let (linesBefore, acknowledgedBefore) = (history.lineCount, history.acknowledged)
            let crash = LiveCycle.Crash(trigger: placement.trigger, choice: .seeded(stream.next()))
            let outcome = try live(name("cut-\(aim.cycle)"), crash: crash)
            if let cut = outcome.cut {
                var report = aim.report(.fired, placement)
                report.hit = outcome.life.hit.map { context.wording.words(for: $0) }
                tally.aims.append(report)
                var life = CutLife(
                    recording: outcome.recording, cut: cut, hit: outcome.life.hit, linesBefore: linesBefore)
                tally.cuts.append(
                    RunResult.Cut(
                        cycle: aim.cycle, acknowledged: history.acknowledged - acknowledgedBefore,
                        inFlight: history.inFlight, landed: !outcome.termination.isSuccess))
                life.keepsPromises = try judge(life)
                try sweepAround(life)
                return .cut(life)
            }
            if !outcome.termination.isSuccess {
                let said = "the workload \(outcome.end)"
                let cause = Cause(.writable, error: said, hasAcknowledged: history.acknowledged > 0)
                let refusal = try refusal(outcome, aim)
                tally.add(cause, error: said) { refusal }
            }
            next = placement.earlier()
        }
        tally.aims.append(aim.report(.neverFired, placement))
        return .missed
    }

    // MARK: - Lives

    /// The unique name of the next life.
    package mutating func name(_ name: String) -> String {
        lives[name, default: 0] += 1
        return name + (lives[name] == 1 ? "" : "-\(lives[name]!)")
    }

    /// Runs one life on the mount, and reads the oracle lines that it wrote.
    private mutating func live(
        _ name: String, crash: LiveCycle.Crash?, runsInit: Bool = false
    ) throws -> LiveCycle.Outcome {
        var cycle = cycle(on: backing)
        cycle.runsInit = runsInit
        var outcome = try cycle.run(named: name, firstSeq: history.nextSeq, crash: crash)
        noteMappedFiles(&outcome.life.recording)
        try history.readNewLines()
        tally.acknowledged = history.acknowledged
        return outcome
    }

    /// Applies the mapped files of each life to all later recordings.
    mutating func noteMappedFiles(_ recording: inout Recording) {
        recording.addMappedFiles(mappedFiles)
        mappedFiles = recording.mappedFiles
    }

    package func cycle(on directory: ByteString) -> LiveCycle {
        LiveCycle(request: request, context: context, backing: directory, oracle: context.oracle)
    }

    /// Recovers the store after the last life; the observation decides about operations in flight. False if the store
    /// does not open, which is a finding.
    private mutating func beginNextLife() throws -> Bool {
        guard case .opened(let observation) = try recoverSurvivingStore() else { return false }
        try history.restart(showing: observation)
        shown = observation
        return true
    }

    /// Recovers the store's directory itself, and judges it. A copy derived from the trace was judged before: if only
    /// the real directory fails, the harness left a wrong state.
    private mutating func recoverSurvivingStore() throws -> Recovery {
        let links = try Tree(skeletonOf: backing).escapingLinks()
        let recovery = try client.confined(for: links, in: context.scratch).recoverAlone(backing).recovery
        let judgement = history.validator.judge(Evidence(recovery), contract: request.contract)
        tally.counts.decided += 1
        if judgement.verdict == .violation, tally.findings.isEmpty, let violation = judgement.violations.first {
            throw RunError.harness(
                "the state that was left in the backing directory fails and the one derived from the trace does not: "
                    + "\(violation)")
        }
        return recovery
    }

    /// The finding for a workload that failed after a recovery, without an injected fault.
    private func refusal(_ life: LiveCycle.Outcome, _ aim: PlannedCut) throws -> Finding {
        try context.requireRoom("the workload")
        if life.termination.isUsageError {
            throw RunError.calledWrongly(life.end)
        }
        let story = context.wording.words(for: .workloadFailed(after: .powerCut(aim.cycle - 1), life.end))
        return Finding(
            check: .writable, strongestProfile: .profile(request.profile), lost: [], story: story, states: 1)
    }

    // MARK: - Judging

    /// Judges the state after a live cut, with a copy derived from the trace. Returns whether it keeps every promise.
    private mutating func judge(_ life: CutLife) throws -> Bool {
        let state = try life.recording.state(request.profile, at: life.cut.eventCount, .losing(life.cut.lost))
        let checker = makeChecker(life.recording, life.linesBefore)
        var collector = FindingCollector(life.recording)
        let keepsPromises = try take(state, checker, &collector)
        if keepsPromises, tally.cuts.last?.acknowledged ?? 0 > 0 {
            let line = life.linesBefore + state.oracleLineCount
            var evidence = try checker.evidence(of: state.tree)
            tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract, at: line)
            tally.control(history.validator, evidence, request.contract, at: line)
        }
        tally.count(checker)
        try report(collector, life.recording, linesBefore: life.linesBefore)
        return keepsPromises
    }

    /// The number of events before a cut whose crashes are derived.
    private static let sweptBeforeCut = 60

    private mutating func sweepAround(_ life: CutLife) throws {
        var sweep = CutSweep(profile: request.profile, seed: stream.next())
        sweep.firstPoint = max(0, life.cut.eventCount - Self.sweptBeforeCut)
        (sweep.seededPointCount, sweep.choicesPerPoint, sweep.namePointCount) = (12, 3, 6)
        try self.sweep(life.recording, linesBefore: life.linesBefore, sweep)
    }

    /// Judges one state. Returns whether it satisfies the contract.
    @discardableResult
    package mutating func take(
        _ state: CrashState, _ checker: StateChecker, _ collector: inout FindingCollector
    ) throws -> Bool {
        let judgement = try checker.check(state)
        tally.notTried.formUnion(judgement.notTried)
        switch judgement.verdict {
        case .violation:
            try activity.minimising { try collector.add(state, judgement, checker) { isOver } }
        case .pass: return true
        case .inconclusive, .filesystem, .harnessError: tally.unjudged.formUnion(judgement.unjudged.values)
        }
        return false
    }

    /// - Parameter firstCrash: if `recording` is a recovery, the crash before it.
    package mutating func sweep(
        _ recording: Recording, linesBefore: Int, _ sweep: CutSweep, after firstCrash: FirstCrash? = nil
    ) throws {
        let checker = makeChecker(recording, linesBefore)
        var collector = FindingCollector(recording)
        var clean: CrashState?
        let limit = sweep.stateLimit(of: recording)
        var number = 0
        defer { activity.endLooking() }
        // Findings are reported even if the search ends with an error.
        let outcome = Result {
            try sweep.forEachState(of: recording) { state in
                guard !isOver else {
                    isPartComplete = false
                    return false
                }
                number += 1
                activity.note(state: number, of: limit)
                if try take(state, checker, &collector) { clean = state }
                return !tooManyHang(checker)
            }
        }
        tally.count(checker)
        if let clean {
            let line = linesBefore + clean.oracleLineCount
            try tally.control(history.validator, checker.evidence(of: clean.tree), request.contract, at: line)
        }
        try report(
            collector, recording, linesBefore: linesBefore, after: firstCrash, isCutShort: tooManyHang(checker))
        try outcome.get()
        if context.shouldStop() { throw RunError.interrupted }
    }

    /// Whether to stop the search of this life. Each state that hangs costs the full timeout, and there may be
    /// hundreds: after the limit for the run, a search ends at its first hang.
    private func tooManyHang(_ checker: StateChecker) -> Bool {
        checker.hangingCount > 0 && client.hangCount >= ExplorationLimits.defaultHangs
    }

    /// - Parameter isCutShort: whether the search ended because too many states hung.
    package mutating func report(
        _ collector: FindingCollector, _ recording: Recording, linesBefore: Int, after firstCrash: FirstCrash? = nil,
        isCutShort: Bool = false
    ) throws {
        tally.take(collector, known: request.known)
        for group in CauseGroup.groups(of: collector.causes) {
            let oracle = try history.text(firstLines: linesBefore + group.shown.state.oracleLineCount)
            let (writer, shown, seconds) = (writer, shown, request.target.target.timeoutSeconds)
            try tally.add(group) { cause in
                try writer.write(
                    cause, recording, oracle: oracle, shown: shown, after: firstCrash,
                    hangSeconds: isCutShort ? seconds : nil)
            }
        }
        for contradiction in collector.contradictions {
            let oracle = try history.text(firstLines: linesBefore + contradiction.state.oracleLineCount)
            let (writer, shown) = (writer, shown)
            try tally.add(contradiction) {
                try writer.write($0, recording, oracle: oracle, shown: shown, after: firstCrash)
            }
        }
    }

    func makeChecker(_ recording: Recording, _ linesBefore: Int) -> StateChecker {
        let checker = StateChecker(
            recording, client: client, validator: history.validator, contract: request.contract,
            linesBefore: linesBefore, scratch: context.scratchFile("states"), memory: context.memory.budget)
        checker.willRecover = { [activity] in activity.willRecover() }
        return checker
    }
}
