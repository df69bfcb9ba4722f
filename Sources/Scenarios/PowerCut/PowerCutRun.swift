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

/// The power goes.
///
/// First one life of the store is recorded from beginning to end, and crashes of it are derived: right after every
/// oracle line with nothing optional kept, at seeded points and around changes of names with seeded survivors. Then the
/// power goes for real, at seeded moments of the work as often as there are cycles, and once at each kind of moment
/// that is worth it: when a file gets its name, when a name moves, when one goes, and while the store recovers. The
/// mount freezes, what runs is killed, one legal state is left behind, the store recovers and goes on from there. What
/// lies around each of these cuts is swept like the first life.
struct PowerCutRun: ScenarioRun {
    package let scenario: PowerCutScenario
    package let request: RunRequest
    package let context: RunContext
    private let writer: CaseWriter
    package private(set) var history: OracleHistory
    /// What was counted so far: it stands even if the run ends early with an error.
    package var tally = RunTally()
    package let client: RecoverClient
    /// What the store showed when the present life began; nil in the first.
    private var shown: Observation?
    /// What its lives so far stored to through shared mappings: a life that ends in a cut may not show it.
    private var mappedFiles: [String] = []
    /// How many lives have each name.
    private var lives: [String: Int] = [:]
    /// Where the cuts fall, and what they leave.
    package var stream: RandomStream
    private let budget: TimeBudget
    private let activity: Activity
    /// The part that is being done was not cut short so far.
    var isPartWhole = true

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

    /// No further state is looked at: the share of the budget is used up, or somebody pressed Ctrl-C.
    package var isOver: Bool { context.shouldStop() || budget.isUsedUp }

    package var backing: ByteString { context.scratchFile("store") }

    package mutating func run() throws {
        try RunFiles.makeDirectory(backing)
        try RunFiles.makeDirectory(context.scratchFile("states"))
        defer { try? client.close() }
        activity.begin("recording")
        let recorded = try live("recorded", crash: nil)
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
                try $0.cut(Aim(cycle: index + 1, aim: aim), planner)
            }
            guard goesOn else { return }
        }
        if !aims.isEmpty { _ = try recoverWhatWasLeft() }
    }

    /// Does one part of the run, unless the budget is used up, and counts it when it was not cut short. The first part
    /// may take half of the budget, the others share the rest.
    ///
    /// - Returns: what `body` does; true when it was left out.
    @discardableResult
    private mutating func part(
        _ number: Int, of count: Int, _ what: String, _ body: (inout PowerCutRun) throws -> Bool
    ) throws -> Bool {
        if context.shouldStop() { throw RunError.interrupted }
        if scenario.budget?.seconds != nil, tally.parts == nil { tally.parts = .init(0, of: count, .parts) }
        activity.begin(what)
        budget.share(among: number == 1 ? min(2, count) : count - number + 1)
        guard !budget.isUsedUp else { return true }
        isPartWhole = true
        let goesOn = try body(&self)
        if isPartWhole {
            tally.parts?.epochs += 1
            tally.parts?.exhaustive += 1
        }
        return goesOn
    }

    /// One cut that is wanted.
    package struct Aim {
        package var cycle: Int
        package var aim: CutAim

        package func report(_ outcome: CutReport.Outcome, _ placement: CutPlacement?) -> CutReport {
            CutReport(aim: aim, outcome: outcome, cycle: cycle, placed: placement.map { "\($0)" })
        }
    }

    /// A life without power at its end.
    struct CutLife {
        package var recording: Recording
        package var cut: PowerCut
        package var hit: CutHit?
        package var linesBefore: Int
        /// What the cut left keeps every promise.
        var isRight = false
    }

    // MARK: - Cuts

    /// Lets the store live until the power goes where `aim` says. False when it does not open any more.
    private mutating func cut(_ aim: Aim, _ planner: CutPlanner) throws -> Bool {
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

    /// What came of a life that the power was to end.
    package enum Attempt {
        case cut(CutLife)
        /// The power did not go, nowhere that was tried.
        case missed
    }

    /// A place that was counted in another life is a guess for this one: if the power did not go there, an earlier one
    /// is tried in the next. Nil when the store does not open any more.
    package mutating func cut(_ aim: Aim, at placement: CutPlacement) throws -> Attempt? {
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
                life.isRight = try judge(life)
                try sweepAround(life)
                return .cut(life)
            }
            if !outcome.termination.isSuccess {
                let said = "the workload \(outcome.end)"
                let cause = Cause(.writable, saying: said, hasAcknowledged: history.acknowledged > 0)
                let refusal = try refusal(outcome, aim)
                tally.add(cause, saying: said) { refusal }
            }
            next = placement.earlier()
        }
        tally.aims.append(aim.report(.neverFired, placement))
        return .missed
    }

    // MARK: - Lives

    /// What the next life of this name is called.
    package mutating func name(_ name: String) -> String {
        lives[name, default: 0] += 1
        return name + (lives[name] == 1 ? "" : "-\(lives[name]!)")
    }

    /// One life on the mount; what it wrote to the oracle is taken into the history.
    private mutating func live(_ name: String, crash: LiveCycle.Crash?) throws -> LiveCycle.Outcome {
        var outcome = try cycle(on: backing).run(named: name, firstSeq: history.nextSeq, crash: crash)
        noteMappedFiles(&outcome.life.recording)
        try history.readNewLines()
        tally.acknowledged = history.acknowledged
        return outcome
    }

    /// What one life shows of the store holds for all.
    mutating func noteMappedFiles(_ recording: inout Recording) {
        recording.addMappedFiles(mappedFiles)
        mappedFiles = recording.mappedFiles
    }

    package func cycle(on directory: ByteString) -> LiveCycle {
        LiveCycle(request: request, context: context, backing: directory, oracle: context.oracle)
    }

    /// The store recovers what the last life left, and what was in flight is settled by what it shows. False when it
    /// does not open any more, which is a finding.
    private mutating func beginNextLife() throws -> Bool {
        guard case .opened(let observation) = try recoverWhatWasLeft() else { return false }
        try history.restart(showing: observation)
        shown = observation
        return true
    }

    /// The store recovers its directory as the last life really left it, and that is judged too. What a cut leaves was
    /// judged before, by a copy derived from the trace: if only the real one fails, the harness left a wrong state.
    private mutating func recoverWhatWasLeft() throws -> Recovery {
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

    /// The store recovered, and then its workload failed although nothing was injected.
    private func refusal(_ life: LiveCycle.Outcome, _ aim: Aim) throws -> Finding {
        try context.requireRoom("the workload")
        if life.termination.isUsageError {
            throw RunError.calledWrongly(life.end)
        }
        let story = context.wording.words(for: .workloadFailed(after: .powerCut(aim.cycle - 1), life.end))
        return Finding(
            check: .writable, strongestProfile: .profile(request.profile), lost: [], story: story, states: 1)
    }

    // MARK: - Judging

    /// Judges the state that a live cut left, by a copy derived from its trace: whether it keeps every promise.
    private mutating func judge(_ life: CutLife) throws -> Bool {
        let state = try life.recording.state(request.profile, at: life.cut.eventCount, .losing(life.cut.lost))
        let checker = makeChecker(life.recording, life.linesBefore)
        var collector = FindingCollector(life.recording)
        let isRight = try take(state, checker, &collector)
        if isRight, tally.cuts.last?.acknowledged ?? 0 > 0 {
            let line = life.linesBefore + state.oracleLineCount
            var evidence = try checker.evidence(of: state.tree)
            tally.noteWrites(afterRecoveryIn: &evidence, history.validator, request.contract, at: line)
            tally.control(history.validator, evidence, request.contract, at: line)
        }
        tally.count(checker)
        try report(collector, life.recording, linesBefore: life.linesBefore)
        return isRight
    }

    /// So many events before a cut are swept.
    private static let sweptBeforeCut = 60

    private mutating func sweepAround(_ life: CutLife) throws {
        var sweep = CutSweep(profile: request.profile, seed: stream.next())
        sweep.firstPoint = max(0, life.cut.eventCount - Self.sweptBeforeCut)
        (sweep.seededPointCount, sweep.choicesPerPoint, sweep.namePointCount) = (12, 3, 6)
        try self.sweep(life.recording, linesBefore: life.linesBefore, sweep)
    }

    /// Judges one state; true when it is what the contract promises.
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

    /// - Parameter firstCrash: of a recovery: the crash that it recovers from.
    package mutating func sweep(
        _ recording: Recording, linesBefore: Int, _ sweep: CutSweep, after firstCrash: FirstCrash? = nil
    ) throws {
        let checker = makeChecker(recording, linesBefore)
        var collector = FindingCollector(recording)
        var clean: CrashState?
        let limit = sweep.stateLimit(of: recording)
        var number = 0
        defer { activity.endLooking() }
        // What was found is reported, whatever ends the search.
        let outcome = Result {
            try sweep.forEachState(of: recording) { state in
                guard !isOver else {
                    isPartWhole = false
                    return false
                }
                number += 1
                activity.look(at: number, of: limit)
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

    /// Each state that hangs costs the timeout, and there may be hundreds: after so many of the whole run the search of
    /// a life ends at its first.
    private func tooManyHang(_ checker: StateChecker) -> Bool {
        checker.hangingCount > 0 && client.hangCount >= ExplorationLimits.usualHangs
    }

    /// - Parameter isCutShort: too many states hung, and the others were not looked at.
    package mutating func report(
        _ collector: FindingCollector, _ recording: Recording, linesBefore: Int, after firstCrash: FirstCrash? = nil,
        isCutShort: Bool = false
    ) throws {
        tally.take(collector)
        for kin in CauseGroup.groups(of: collector.causes) {
            let oracle = try history.text(firstLines: linesBefore + kin.shown.state.oracleLineCount)
            let (writer, shown, seconds) = (writer, shown, request.target.target.timeoutSeconds)
            try tally.add(kin) { cause in
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
