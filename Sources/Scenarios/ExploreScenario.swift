import Bytes
import Exploration
import Foundation
import Oracle
import Storage
import Targets

/// One run is recorded, and every state that a crash could have left of it is checked, or it is said which were not.
struct ExploreScenario: ScenarioRun {
    let request: RunRequest
    let context: RunContext
    let program: String
    private(set) var tally = RunTally()
    /// When checking began.
    private var began: Double?

    init(_ request: RunRequest, _ context: RunContext, program: String) {
        self.request = request
        self.context = context
        self.program = program
    }

    mutating func run() throws {
        if let directory = request.resumed { return try goOn(with: ExplorationFiles(directory: directory)) }
        guard let store = request.storeInMemory else {
            try refuseWhatNeedsMemory()
            context.progress("recording")
            let recording = try liveOnAMount().recording
            try control(recording)
            return try explore(recording, nil, oracle: try RunFiles.read(context.oracle))
        }
        if let length = request.exploration.smallWorkloadSteps { return try exploreSmallWorkloads(store, length) }
        context.progress("recording")
        let workload = Workload(
            seed: request.seed, shape: request.shape, operationCount: request.operationCount)
        let life = try RecordedLife(rules: request.exploration.rules, seed: request.seed) { storage, oracle in
            try store.run(workload, on: storage, oracle: oracle)
        }
        try life.keep(in: context)
        try explore(life.recording, store, oracle: life.oracle)
    }

    /// The recorded run of a run that was stopped, from where that one came to.
    private mutating func goOn(with files: ExplorationFiles) throws {
        let (earlier, doubts) = try files.read(options, program: program)
        doubts.add(to: &tally)
        let recording = try Recording(tracePath: files.trace)
        let oracle = try RunFiles.read(files.oracle)
        if request.storeInMemory == nil { try control(recording) }
        try files.share(with: context)
        tally.findings = try files.findings(
            into: CaseWriter(request: request, context: context, program: program))
        try explore(recording, request.storeInMemory, oracle: oracle, earlier)
    }

    /// What two runs must have in common for one to go on with the other.
    private var options: [String] {
        ScenarioRunner(program: program).arguments(request, withBudget: false)
    }

    private mutating func exploreSmallWorkloads(_ store: BuiltInStore, _ length: Int) throws {
        let workloads = SmallWorkloads(steps: store.smallSteps, length: length)
        var coverage = Coverage(limits: request.exploration)
        coverage.workloads = (0, workloads.count)
        defer { tally.coverage = coverage }
        for number in 0..<workloads.count where coverage.stopped == nil {
            context.progress("workload \(number + 1) of \(workloads.count), \(tally.checked.counted("state"))")
            let steps = workloads[number]
            let life = try RecordedLife(rules: request.exploration.rules, seed: request.seed) { storage, oracle in
                try store.run(steps, on: storage, oracle: oracle)
            }
            let knownCount = tally.findings.count
            try explore(life.recording, store, oracle: life.oracle)
            for index in knownCount..<tally.findings.count {
                let words = steps.map(\.rawValue).joined(separator: ", ")
                tally.findings[index].story = "after \(words): \(tally.findings[index].story)"
            }
            if let looked = tally.coverage { coverage.add(looked) }
            coverage.workloads?.explored += 1
        }
    }

    private mutating func explore(
        _ recording: Recording, _ store: BuiltInStore?, oracle: [UInt8], _ earlier: EarlierExploration? = nil
    ) throws {
        var history = OracleHistory()
        try history.append(oracle)
        let client = RecoverClient(request.target)
        defer { try? client.close() }
        let start = ScenarioRunner.now()
        let deadline = request.exploration.budgetSeconds.map { (began ?? start) + Double($0) }
        began = began ?? start
        let isBudgetGone: @Sendable () -> Bool = { deadline.map { ScenarioRunner.now() >= $0 } == true }
        let shouldStop = context.shouldStop
        let explorer = try Explorer(
            recording, profile: request.profile, limits: request.exploration, seed: request.seed,
            recovery: try recovery(store, recording, client, "states"),
            confirming: try recovery(store, recording, client, "confirm"),
            judge: EvidenceJudge(history.validator, request.contract),
            workers: ProcessInfo.processInfo.activeProcessorCount, earlier: earlier,
            isOver: { shouldStop() || isBudgetGone() })
        let outcome = Result {
            try explorer.run(
                shouldStop: {
                    if context.shouldStop() { return "interrupted" }
                    return isBudgetGone() ? "the budget is used up" : nil
                }, progress: context.progress)
        }
        if case .failure(RunError.interrupted) = outcome { explorer.noteStop("interrupted") }
        tally.exploringSeconds = (tally.exploringSeconds ?? 0) + ScenarioRunner.now() - start
        count(explorer, history)
        try report(explorer, recording, history)
        if explorer.canBeResumed, request.exploration.smallWorkloadSteps == nil {
            try ExplorationFiles(directory: context.directory).write(explorer, tally, options)
            tally.isResumable = true
        }
        try outcome.get()
        if context.shouldStop() { throw RunError.interrupted }
    }

    private func refuseWhatNeedsMemory() throws {
        guard request.exploration.smallWorkloadSteps == nil else {
            throw RunError.harness(
                "small workloads are for the stores that run inside Faultline (engine, events), and not through their commands"
            )
        }
    }

    private func liveOnAMount() throws -> LiveCycle.Outcome {
        let backing = context.scratchFile("store")
        try RunFiles.makeDirectory(backing)
        let cycle = LiveCycle(request: request, context: context, backing: backing, oracle: context.oracle)
        let life = try cycle.run(named: "recorded", firstSeq: 1, crash: nil)
        let isFaulty = life.life.fault != nil
        guard isFaulty || request.exploration.rules.isEmpty else {
            throw RunError.inconclusive("no rule fired: the recorded run met no fault")
        }
        // After a fault the store may refuse.
        guard life.termination.isSuccess || isFaulty else {
            throw RunError.failedWithoutFault(
                life.termination, said: life.complaints, wroteLines: life.recording.oracleLines.count)
        }
        return life
    }

    /// A run that met a fault may have left a store that rightly does not open.
    private func control(_ recording: Recording) throws {
        let control = RecoveryControl(request, context)
        let isFaulty = !request.exploration.rules.isEmpty
        try isFaulty ? control.requireOfLife(seed: request.seed) : control.require(endOf: recording)
    }

    private func recovery(
        _ store: BuiltInStore?, _ recording: Recording, _ client: RecoverClient, _ name: String
    ) throws -> any StateRecoverer {
        if let store {
            return MemoryRecovery(
                store, payloads: recording.payloads,
                probing: request.exploration.probesWriting ? request.profile : nil)
        }
        let scratch = context.scratchFile(name)
        try RunFiles.makeDirectory(scratch)
        let limits = request.exploration
        guard limits.depth > 1 || limits.probesWriting else {
            return ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch)
        }
        return MountedRecovery(
            request.target, client: client, payloads: recording.payloads, context: context, scratch: scratch,
            probing: limits.probesWriting
                ? MountedRecovery.Probing(profile: request.profile, seed: request.seed) : nil)
    }

    private mutating func count(_ explorer: Explorer, _ history: OracleHistory) {
        tally.acknowledged += history.acknowledged
        tally.decided += explorer.decidedCount
        tally.checked += explorer.checkedCount
        tally.statesWithLosses += explorer.lossyCount
        tally.coverage = explorer.coverage
        tally.unjudged.formUnion(explorer.unjudged)
        tally.notTried.formUnion(explorer.notTried)
        tally.unconfirmed += explorer.collector.unconfirmedCount + explorer.nested.unconfirmedCount
        if let clean = explorer.clean {
            tally.control(history.validator, clean.evidence, request.contract, at: clean.line)
        }
    }

    private mutating func report(_ explorer: Explorer, _ recording: Recording, _ history: OracleHistory) throws {
        let writer = CaseWriter(request: request, context: context, program: program)
        for cause in explorer.collector.causes {
            let oracle = history.text(firstLines: cause.state.oracleLineCount)
            try tally.add(cause) { try writer.write(cause, recording, oracle: oracle, shown: nil) }
        }
        for finding in explorer.nested.findings {
            let oracle = history.text(firstLines: finding.outer.oracleLineCount)
            try tally.add(finding.cause) {
                let lost = try recording.story(of: finding.outer).lines
                let first =
                    "The power went after event \(finding.outer.crashPoint) of the run, which lost "
                    + (lost.isEmpty ? "nothing" : lost.joined(separator: "; ")) + ", and again during the recovery."
                return try writer.write(finding.cause, finding.recording, oracle: oracle, shown: nil, after: first)
            }
        }
    }
}
