import Bytes
import Exploration
import Foundation
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Records one run and checks every state that a crash could have left, or reports which states it left out.
struct ExploreRun: ScenarioRun {
    package let scenario: ExploreScenario
    package private(set) var request: RunRequest
    package private(set) var context: RunContext
    package let program: String
    package internal(set) var tally = RunTally()
    /// Whether a run that its budget stopped leaves files for --resume. False if it is part of another scenario.
    var savesProgress = true
    /// The monotonic time at which checking began, in seconds.
    private(set) var began: Double?
    /// The faults of the device, for a run below a real filesystem.
    var device = RunResult.Device()
    /// The devices for crash images; nil unless the run explores below a real filesystem.
    package let images: BlockImages?
    /// The progress of each profile that was begun, if there are several.
    private var profiles: [ExplorationFiles.ProfileProgress] = []

    package init(_ scenario: ExploreScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        self.scenario = scenario
        self.request = request
        self.context = context
        self.program = program
        images = scenario.block.map { BlockImages($0, context) }
    }

    package mutating func run() throws {
        defer {
            images?.close(counting: &tally)
            if !device.isEmpty { tally.block?.device = device }
        }
        if let directory = scenario.resumed { return try resume(with: ExplorationFiles(directory: directory)) }
        guard let store = storeInMemory else {
            try refuseWhatNeedsMemory()
            context.progress("recording")
            let recording = try record()
            try control(recording)
            try explore(recording, nil, try takenHistory())
            return try exploreWithoutFault()
        }
        if let length = scenario.smallWorkloadSteps { return try exploreSmallWorkloads(store, length) }
        context.progress("recording")
        let workload = Workload(
            seed: request.seed, shape: request.shape, operationCount: request.operationCount)
        let life = try RecordedLife(
            trace: context.file("recorded.trace"), oracle: context.oracle, context.memory,
            rules: scenario.rules, seed: request.seed
        ) { storage, oracle in
            try store.run(workload, on: storage, oracle: oracle)
        }
        try explore(life.recording, store, try takenHistory())
    }

    /// Reads the whole oracle of the run, or of one small workload.
    private func takenHistory(of oracle: ByteString? = nil) throws -> OracleHistory {
        var history = OracleHistory(oracle ?? context.oracle, context.memory)
        try history.readAll()
        return history
    }

    /// Resumes a stopped run, with its recording. The directory may come from anywhere, so recoveries are confined.
    private mutating func resume(with files: ExplorationFiles) throws {
        if request.target.confinement != .none, storeInMemory == nil {
            context = try context.within("confined")
            request.target.confinement = try .foreign(in: context.scratch, trusts: false)
        }
        let (earlier, profiles, unresolved) = try files.read(options, program: program)
        self.profiles = profiles
        unresolved.add(to: &tally, known: request.known)
        try RunFiles.refuseLink(files.trace)
        var recording = try Recording(tracePath: files.trace, context.memory)
        recording.ignoreFiles(of: request.target)
        recording.sectorBytes = scenario.block?.sectorBytes
        if storeInMemory == nil { try control(recording) }
        try files.share(with: context)
        let writer = CaseWriter(
            request: request, context: context, program: program,
            probing: scenario.probesWriting ? request.profile : nil)
        tally.findings = try files.findings(into: writer)
        tally.unstable = try files.unstable(into: writer)
        try explore(recording, storeInMemory, try takenHistory(), earlier)
        try exploreWithoutFault()
    }

    /// The options that a resumed run must share with the stopped one.
    private var options: [String] { request.arguments(withLimits: false) }

    /// The number of threads that recover states.
    var workers: Int { images == nil ? ProcessInfo.processInfo.activeProcessorCount : BlockImages.workers }

    /// The profile under which syncs are added and left out: of several the weakest that states can be derived under, because
    /// it has the states of all others.
    func weakestProfile(of recording: Recording) -> Profile {
        guard request.profiles == .every else { return request.profile }
        return recording.profiles.last { $0 != .kill } ?? request.profile
    }

    private var storeInMemory: BuiltInStore? { scenario.storeInMemory(request.target) }

    private mutating func exploreSmallWorkloads(_ store: BuiltInStore, _ length: Int) throws {
        let workloads = SmallWorkloads(steps: store.smallSteps, length: length)
        var coverage = Coverage(limits: scenario.limits)
        coverage.workloads = (0, workloads.count)
        defer { tally.coverage = coverage }
        for number in 0..<workloads.count where coverage.stopped == nil {
            context.progress("workload \(number + 1) of \(workloads.count), \(tally.counts.checked.counted("state"))")
            let steps = workloads[number]
            let (trace, oracle) = (context.scratchFile("small.trace"), context.scratchFile("small.jsonl"))
            for file in [trace, oracle] { try RunFiles.remove(file) }
            let life = try RecordedLife(
                trace: trace, oracle: oracle, context.memory, rules: scenario.rules, seed: request.seed
            ) { storage, oracle in
                try store.run(steps, on: storage, oracle: oracle)
            }
            try explore(life.recording, store, try takenHistory(of: oracle), after: steps)
            if let looked = tally.coverage { coverage.add(looked) }
            coverage.workloads?.explored += 1
        }
    }

    private mutating func explore(
        _ recording: Recording, _ store: BuiltInStore?, _ history: OracleHistory, _ earlier: EarlierExploration? = nil,
        after steps: [SmallStep] = []
    ) throws {
        let client = RecoverClient(request.target)
        defer { try? client.close() }
        let start = MonotonicTime.seconds()
        began = began ?? start
        device.fault = recording.deviceFault
        let budget = TimeBudget(began: began ?? start, seconds: scenario.budget?.seconds)
        let shouldStop = context.shouldStop
        let explorer = try Explorer(
            recording, profile: request.profile, limits: scenario.limits, seed: request.seed,
            recovery: try recovery(store, recording, client, "states"),
            confirming: try recovery(store, recording, client, "confirm"),
            judge: EvidenceJudge(history.validator, request.contract, deviceFault: device.fault),
            workers: workers,
            earlier: earlier,
            memory: context.memory.budget, isOver: { shouldStop() || budget.isUsedUp })
        let outcome = Result { try walk(explorer, recording, budget) }
        tally.exploringSeconds = (tally.exploringSeconds ?? 0) + MonotonicTime.seconds() - start
        if store == nil, images == nil {
            let deriving = MonotonicTime.seconds() - start - explorer.recoveringSeconds
            var steps = tally.steps ?? RunResult.Steps()
            steps.add(client.clock, deriving: max(0, deriving))
            tally.steps = steps
        }
        count(explorer, history)
        let canBeResumed = explorer.canBeResumed
        try report(explorer, recording, history, store, after: steps)
        if canBeResumed || profiles.contains(where: \.result.explored.isPartial),
            scenario.smallWorkloadSteps == nil, savesProgress
        {
            try ExplorationFiles(directory: context.directory).write(explorer, profiles, tally, options)
            tally.continuation = ["--resume", context.directory.shown]
        }
        try outcome.get()
        if context.shouldStop() { throw RunError.interrupted }
    }

    /// Explores under the run's profile, or under each profile in turn, and counts the states.
    private mutating func walk(_ explorer: Explorer, _ recording: Recording, _ budget: TimeBudget) throws {
        guard request.profiles == .every else {
            defer { count(explorer) }
            return try walk(explorer, budget, prefix: "")
        }
        var sum = Coverage(limits: scenario.limits)
        defer { tally.coverage = sum }
        let before = profiles
        profiles = []
        sum.profiles = Profile.filesystems.count
        for (place, profile) in Profile.filesystems.enumerated() {
            let known = before.first { $0.result.profile == profile }
            do {
                try recording.require(profile)
            } catch {
                let result = RunResult.UnderProfile(profile, notDerived: "\(error)")
                profiles.append(.init(result: result, progress: ExplorationProgress()))
                continue
            }
            if let known, !known.result.explored.isPartial {
                profiles.append(known)
                sum.add(Coverage(known.result.explored, limits: scenario.limits))
                continue
            }
            budget.share(among: Profile.filesystems.count - place)
            try explorer.begin(profile, from: known?.progress)
            let outcome = Result { try walk(explorer, budget, prefix: profile.rawValue) }
            count(explorer)
            sum.add(explorer.coverage)
            profiles.append(
                .init(result: result(of: explorer, profile, after: known?.result), progress: explorer.progress))
            try outcome.get()
            if context.shouldStop() { return }
        }
    }

    private func walk(_ explorer: Explorer, _ budget: TimeBudget, prefix: String) throws {
        do {
            try explorer.run(
                shouldStop: {
                    if context.shouldStop() { return context.stopReason }
                    if let targetCause = scenario.targetCause,
                        explorer.collector.causes.contains(where: targetCause.matches)
                    {
                        return .targetCauseFound
                    }
                    return budget.isUsedUp ? .budget : nil
                }, progress: { context.progress(RunProgress(prefix, $0)) })
        } catch RunError.interrupted {
            explorer.recordStop(context.stopReason)
            throw RunError.interrupted
        }
    }

    /// The result under one of several profiles.
    private func result(
        of explorer: Explorer, _ profile: Profile, after known: RunResult.UnderProfile?
    ) -> RunResult.UnderProfile {
        let coverage = explorer.coverage
        let failing = explorer.counts.failing + (known?.failingStates ?? 0)
        let isPass = coverage.isComplete || request.allowsPartial
        return RunResult.UnderProfile(
            profile: profile, verdict: failing > 0 ? .violation : isPass ? .pass : .inconclusive,
            failingStates: failing, decided: explorer.counts.decided, explored: RunResult.Explored(coverage),
            coverage: context.wording.words(for: coverage))
    }

    private func refuseWhatNeedsMemory() throws {
        guard scenario.smallWorkloadSteps == nil else {
            throw RunError.harness(
                "small workloads are for the stores that run inside Faultline (engine, events), and not through their commands"
            )
        }
    }

    private mutating func record() throws -> Recording {
        guard let block = scenario.block else { return try recordOnMount().recording }
        switch scenario.recorder {
        case .served: return try recordBlockDevice(block).recording
        case .writeLog: return try recordWriteLog(block)
        case .trace(let path): return try readRecording(path, block)
        }
    }

    private func recordOnMount() throws -> LiveCycle.Outcome {
        let backing = context.scratchFile("store")
        try request.target.makeStore(at: backing, runsInit: !scenario.includesInit)
        var cycle = LiveCycle(
            request: request, context: context, backing: backing, oracle: context.oracle, rules: scenario.rules)
        cycle.runsInit = scenario.includesInit
        let life = try cycle.run(named: "recorded", firstSeq: 1, crash: nil)
        let isFaulty = life.life.fault != nil
        guard isFaulty || scenario.rules.isEmpty else {
            throw RunError.noRuleFired
        }
        // With faults the workload may fail.
        guard life.termination.isSuccess || isFaulty else {
            throw RunError.failedWithoutFault(
                life.end, wroteLines: life.recording.oracleLines.count)
        }
        return life
    }

    /// Throws unless recovery works without a crash. After a fault the store may rightly refuse to open, so the control
    /// then uses a new life.
    private func control(_ recording: Recording) throws {
        let control = RecoveryControl(request, context)
        if !scenario.rules.isEmpty { return try control.requireOfLife(seed: request.seed) }
        guard scenario.block != nil else { return try control.require(endOf: recording) }
        let client = RecoverClient(request.target)
        defer { try? client.close() }
        let end = try recording.wholeState(at: recording.events.count)
        let shown = try recovery(nil, recording, client, "control").recover(end.tree, inFreshProcess: true)
        try control.require(shown.evidence.recovery)
    }

    /// - Parameter name: the name of the directory in which states are recovered.
    /// - Parameter depth: 2 if recoveries are to be recorded; by default as the scenario says.
    func recovery(
        _ store: BuiltInStore?, _ recording: Recording, _ client: RecoverClient, _ name: String, depth: Int? = nil
    ) throws -> any StateRecoverer {
        if let store {
            return MemoryRecovery(
                store, payloads: recording.payloads,
                probing: scenario.probesWriting ? request.profile : nil)
        }
        let scratch = context.scratchFile(name)
        try RunFiles.makeDirectory(scratch)
        if let images { return images.recovery(recording.payloads, client, scratch: scratch) }
        guard (depth ?? scenario.limits.depth) > 1 || scenario.probesWriting else {
            guard scenario.limits.decides else {
                return ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch)
            }
            return WatchedRecovery(
                request.target, client: client, payloads: recording.payloads, context: context, scratch: scratch)
        }
        return MountedRecovery(
            request.target, client: client, payloads: recording.payloads, context: context, scratch: scratch,
            probing: scenario.probesWriting
                ? MountedRecovery.Probing(profile: request.profile, seed: request.seed) : nil)
    }

    /// Adds the counts of the exploration under one profile.
    private mutating func count(_ explorer: Explorer) {
        tally.counts.decided += explorer.counts.decided
        tally.counts.lossy += explorer.counts.lossy
        tally.coverage = explorer.coverage
    }

    private mutating func count(_ explorer: Explorer, _ history: OracleHistory) {
        tally.acknowledged += history.acknowledged
        tally.counts.checked += explorer.counts.checked
        tally.profiles = profiles.map(\.result)
        tally.unjudged.formUnion(explorer.unjudged)
        tally.notTried.formUnion(explorer.notTried)
        tally.take(explorer.collector, known: request.known)
        tally.unconfirmed += explorer.nested.unconfirmedCount
        tally.count(explorer.nested.unexplained, known: request.known)
        if let clean = explorer.clean {
            tally.control(history.validator, clean.evidence, request.contract, at: clean.line)
        }
    }

    private mutating func report(
        _ explorer: Explorer, _ recording: Recording, _ history: OracleHistory, _ store: BuiltInStore?,
        after steps: [SmallStep]
    ) throws {
        var writer = CaseWriter(
            request: request, context: context, program: program,
            probing: scenario.probesWriting ? request.profile : nil)
        writer.steps = steps.map(\.rawValue)
        // The searches below take the explorer, with other recordings. A stopped exploration needs it to resume.
        let (contradictions, nested, known) = (
            explorer.contradictions, explorer.nested, explorer.allCauses.map(\.cause)
        )
        var groups = CauseGroup.groups(of: explorer.collector.causes)
        if steps.isEmpty, !explorer.canBeResumed { groups = try withFixes(groups, explorer, recording) }
        if scenario.findsBarriers, !explorer.canBeResumed {
            tally.barriers = try barriers(explorer, recording, history, store, known: known)
        }
        for group in groups {
            let oracle = try history.text(firstLines: group.shown.state.oracleLineCount)
            try tally.add(group) { try writer.write($0, recording, oracle: oracle, shown: nil) }
        }
        for group in CauseGroup.groups(of: nested.findings.map(\.cause)) {
            let inner = nested.findings.first { $0.cause.cause == group.shown.cause }!
            let oracle = try history.text(firstLines: inner.outer.oracleLineCount)
            let first = try firstCrash(inner.outer, recording)
            try tally.add(group) {
                try writer.write($0, inner.recording, oracle: oracle, shown: nil, after: first)
            }
        }
        for contradiction in contradictions {
            let oracle = try history.text(firstLines: contradiction.state.oracleLineCount)
            try tally.add(contradiction) { try writer.write($0, recording, oracle: oracle, shown: nil) }
        }
        for inner in nested.unstable {
            let oracle = try history.text(firstLines: inner.outer.oracleLineCount)
            let first = try firstCrash(inner.outer, recording)
            try tally.add(inner.contradiction) {
                try writer.write($0, inner.recording, oracle: oracle, shown: nil, after: first)
            }
        }
    }

    /// The crash before a crash during its recovery.
    private func firstCrash(_ state: CrashState, _ recording: Recording) throws -> FirstCrash {
        .explored(eventCount: state.crashPoint, lost: try recording.losses(of: state).descriptions)
    }
}
