import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Storage
import Targets

/// Replays a case: derives the crash state from the trace, recovers it, and judges it with the oracle.
package struct Replay: Sendable {
    package var directory: ByteString
    package var record: CaseRecord
    package var target: ConfiguredTarget
    package var profile: Profile
    package var contract: Contract
    package var lost: LostAtoms
    /// The arguments that select the target in a command that replays the case.
    package let words: [String]
    /// Whether the author of the case is trusted. Where no complete sandbox works, the recovery of a trusted case runs
    /// unconfined and may follow links that lead out of the state.
    package let trusts: Bool
    /// False if the target's commands may write outside the state.
    package let isSandboxed: Bool
    /// The wording of stories.
    package let wording: any Wording

    /// The result of a replay.
    package struct Outcome: Sendable {
        /// The derived state; nil for a killed process, whose files are the case's image, and for a live run, which is
        /// repeated.
        package var state: CrashState?
        /// Descriptions of the changes that the state lost.
        package var lost: [String]
        package var judgement: Judgement
        /// The story of the violation; nil if it does not show again or if the case has no trace.
        package var account: CrashStory?
        /// Two observations of the state that differ; nil if all are equal.
        package var looks: (UnstableState.ObservationExcerpt, UnstableState.ObservationExcerpt)?
        /// The links in the state that lead out of it.
        package var escapingLinks: [EscapingLink] = []
        /// The confinement of the recovery.
        package var confinement = Confinement.none
        /// The facts for a page; nil unless they were requested.
        package var facts: FindingFacts?
    }

    /// Reads the case in `directory`.
    ///
    /// A case may come from anywhere, so it does not decide which programs run: the target must be built in or given by
    /// `reference`, unless `trusts` allows the manifest in the case.
    ///
    /// - Parameter isSandboxed: whether the target's commands are confined; false lets them write anywhere.
    package init(
        directory: ByteString, targets: TargetCatalog, reference: String? = nil, trusts: Bool = false,
        isSandboxed: Bool = true, wording: any Wording
    ) throws {
        (self.directory, self.trusts, self.isSandboxed) = (directory, trusts, isSandboxed)
        self.wording = wording
        record = try CaseRecord(directory: directory)
        let path = directory.appending(component: CaseRecord.fileName)
        let settings = record.configuration.map { Setting(name: $0.key, value: $0.value) }
        var target: Target
        if reference == nil, record.manifest != nil {
            guard trusts else { throw record.targetNotGiven(in: directory, targets) }
            target = try record.trustedTarget(in: directory, targets)
            words = ["--trust"]
        } else {
            target = try targets.target(reference ?? record.target)
            let manifest = target.manifest.map { ["--target", $0.path.shown] } ?? []
            words = manifest + (record.block != nil && trusts ? ["--trust"] : [])
        }
        guard target.name == record.target else {
            throw CaseError.otherTarget(path, target: record.target, given: target.name)
        }
        self.target = try target.configured(settings)
        guard let contract = Contract(named: record.contract) else {
            throw CaseError.unknownValue(path, field: "contract", value: record.contract)
        }
        profile = record.profile
        self.contract = contract
        lost = try LostAtoms(parsing: record.lost)
    }

    /// Replays the case at `path`, a directory or an archive, in temporary scratch space.
    ///
    /// - Parameter wantsFacts: whether to collect the facts for a page.
    package static func show(
        _ path: ByteString, targets: TargetCatalog, reference: String? = nil, trusts: Bool = false,
        isSandboxed: Bool = true, wording: any Wording, memory: MemorySize = MachineMemory().defaultLimit,
        wantsFacts: Bool = false
    ) throws -> (Replay, Outcome) {
        let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "case", scenario: "replay", seed: 0)
        let outcome = Result {
            let context = try RunContext(
                run, wording: wording, memory: memory, shouldStop: { Interruption.shared.isInterrupted })
            return try context.guarded {
                var shown = try show(
                    path, scratch: context.scratch, targets: targets, reference: reference, trusts: trusts,
                    isSandboxed: isSandboxed, wording: wording, context: context)
                if wantsFacts { shown.1.facts = try FindingFacts.read(shown.0.directory) }
                return shown
            }
        }
        try run.finish()
        try TreeRemoval.remove(run.path)
        return try outcome.get()
    }

    /// Replays the case at `path` in a directory beneath `scratch`.
    ///
    /// - Parameter context: registers mounts for cleanup; without it, cases that need a mount throw.
    package static func show(
        _ path: ByteString, scratch: ByteString, targets: TargetCatalog, reference: String? = nil, trusts: Bool = false,
        isSandboxed: Bool = true, wording: any Wording, context: RunContext? = nil
    ) throws -> (Replay, Outcome) {
        var directory = path
        if CaseArchive.isFile(path) {
            directory = scratch.appending(component: "case")
            try CaseArchive.unpack(path, into: directory)
        }
        let replay = try Replay(
            directory: directory, targets: targets, reference: reference, trusts: trusts, isSandboxed: isSandboxed,
            wording: wording)
        let states = scratch.appending(component: "states")
        try RunFiles.makeDirectory(states)
        return (replay, try replay.run(scratch: states, context))
    }

    /// Recovers the state in a directory beneath `scratch`. The recovery is confined to `scratch`, because the author
    /// of the case chose the links and file contents of the state. If the store does not open, throws unless a store
    /// without faults does.
    ///
    /// - Parameter scratch: a directory with nothing else of value in it.
    package func run(scratch: ByteString, _ context: RunContext? = nil) throws -> Outcome {
        let confined = try confined(to: scratch)
        var outcome = try confined.outcome(scratch: scratch, context)
        if outcome.judgement.broken.contains(.opens) { try confined.control(scratch: scratch) }
        outcome.confinement = confined.target.confinement
        return outcome
    }

    /// A copy whose target can write to `directory` only.
    package func confined(to directory: ByteString) throws -> Replay {
        var replay = self
        replay.target.confinement = isSandboxed ? try .foreign(in: directory, trusts: trusts) : .none
        return replay
    }

    /// Throws unless the target's commands work without faults. Runs the workload and the recovery on a new store,
    /// because the recorded one is not available.
    package func control(scratch: ByteString) throws {
        // A live run has its own control. A built-in store that is probed for writes needs none.
        guard record.live == nil, target.builtInStore == nil || record.probing == nil else { return }
        try RecoveryControl(target, scratch: scratch, shouldStop: { Interruption.shared.isInterrupted })
            .requireOfLife(seed: record.seed)
    }

    private func outcome(scratch: ByteString, _ context: RunContext?) throws -> Outcome {
        if !record.hasTrace { return try runImage(scratch: scratch, context) }
        if let live = record.live {
            guard let context else {
                throw RunError.harness("a live store showed this finding: it can be replayed only on a mount")
            }
            try record.checkTrace(in: directory)
            let place = try context.within("live")
            let (judgement, account) = try live.repeatRun(
                confined(to: place.scratch).target, profile, contract, seed: record.seed,
                lookingFor: record.check.check,
                place)
            return Outcome(state: nil, lost: [], judgement: judgement, account: account)
        }
        let client = RecoverClient(target)
        defer { try? client.close() }
        let scene = try scene(client, scratch: scratch, context)
        if record.unstable != nil { return try repeatRecovery(scene, client, scratch: scratch, context) }
        let judgement = try scene.checker.confirm(scene.state)
        let faults = try record.faults(in: directory)
        var account = try judgement.violations.first.map {
            try wording.story(
                of: FailingState(
                    scene.recording, scene.state, $0, linesBefore: scene.linesBefore, faults: faults, look: record.look)
            )
        }
        account?.firstCrash = record.firstCrash
        if let fix = record.fix { account?.reasons.append(wording.words(for: fix)) }
        return Outcome(
            state: scene.state, lost: try scene.recording.losses(of: scene.state).descriptions, judgement: judgement,
            account: account, escapingLinks: scene.state.tree.escapingLinks())
    }

    /// How often an unstable state is recovered, alternately in a fresh and in a reused process.
    private static let recoveryCount = 8

    private func repeatRecovery(
        _ scene: ReplayContext, _ client: RecoverClient, scratch: ByteString, _ context: RunContext?
    ) throws -> Outcome {
        let recovery = try recovery(scene.recording, client, scratch: scratch, context)
        let first = try recovery.recover(scene.state.tree, inFreshProcess: true).evidence
        let judge = EvidenceJudge(
            scene.history.validator, contract, linesBefore: scene.linesBefore,
            deviceFault: scene.recording.deviceFault)
        var outcome = Outcome(
            state: scene.state, lost: try scene.recording.losses(of: scene.state).descriptions,
            judgement: judge.judge(first, at: scene.state), escapingLinks: scene.state.tree.escapingLinks())
        for number in 1..<Self.recoveryCount {
            let next = try recovery.recover(scene.state.tree, inFreshProcess: number % 2 == 0).evidence
            if next.isEquivalent(to: first) { continue }
            outcome.looks = UnstableState.ObservationExcerpt.pair(first, next)
            outcome.judgement = Judgement(.inconclusive, [])
            break
        }
        return outcome
    }

    /// The crash of a case with a trace, ready to be recovered.
    struct ReplayContext {
        package var recording: Recording
        package var state: CrashState
        package var history: OracleHistory
        /// The number of oracle lines before those of the trace.
        package var linesBefore: Int
        package var checker: StateChecker
    }

    /// Reads the files of the case. States are recovered in directories beneath `scratch`.
    func scene(_ client: RecoverClient, scratch: ByteString, _ context: RunContext?) throws -> ReplayContext {
        let memory = memory(of: context, scratch: scratch)
        let recording = try record.recording(in: directory, memory)
        let state = try recording.state(profile, at: record.crashPoint, .losing(lost))
        guard state.lost == lost else {
            throw CaseError.inconsistent(
                directory, reason: "at its crash point its trace has no such atoms to lose: '\(lost)'")
        }
        let history = try history(of: recording, lineCount: state.oracleLineCount, memory)
        let linesBefore = history.lineCount - state.oracleLineCount
        return ReplayContext(
            recording: recording, state: state, history: history, linesBefore: linesBefore,
            checker: StateChecker(
                recovery: try recovery(recording, client, scratch: scratch, context),
                judge: EvidenceJudge(
                    history.validator, contract, linesBefore: linesBefore, deviceFault: recording.deviceFault),
                memory: memory.budget))
    }

    private func memory(of context: RunContext?, scratch: ByteString) -> MemoryGuard {
        context?.memory ?? MemoryGuard(.standard(spillingNear: scratch), scratch: scratch)
    }

    /// The way to recover states of the case. A block case mounts a disk image. A case that also writes to the
    /// recovered store uses a built-in store in this process or, for other targets, a mount. All others run the recover
    /// command.
    private func recovery(
        _ recording: Recording, _ client: RecoverClient, scratch: ByteString, _ context: RunContext?
    ) throws -> any StateRecoverer {
        if let block = record.block {
            guard trusts else { throw CaseError.diskImageNotTrusted(directory) }
            return BlockImages(block, scratch: scratch).recovery(recording.payloads, client, scratch: scratch)
        }
        guard let profile = record.probing else {
            return ProcessRecovery(payloads: recording.payloads, client: client, scratch: scratch)
        }
        if let store = target.builtInStore {
            return MemoryRecovery(store, payloads: recording.payloads, probing: profile)
        }
        guard let context else {
            throw RunError.harness("a write after recovery showed this finding: it can be replayed only on a mount")
        }
        return MountedRecovery(
            target, client: client, payloads: recording.payloads, context: context, scratch: scratch,
            probing: MountedRecovery.Probing(profile: profile, seed: record.seed))
    }

    /// Recovers a copy of the case's image.
    private func runImage(scratch: ByteString, _ context: RunContext?) throws -> Outcome {
        let copy = scratch.appending(component: "state")
        let image = directory.appending(component: CaseRecord.imageName)
        try TreeCopy.copy(image, to: copy)
        let links = try Tree(skeletonOf: copy).escapingLinks()
        let history = try history(tracedBytes: 0, memory(of: context, scratch: scratch))
        let client = try RecoverClient(target).confined(for: links, in: scratch)
        let first = try client.recoverAlone(copy)
        var evidence = Evidence(first.recovery)
        if case .opened = first { evidence.secondRecovery = try client.recoverAlone(copy).recovery }
        return Outcome(
            state: nil, lost: [], judgement: history.validator.judge(evidence, contract: contract),
            escapingLinks: links)
    }

    private var oracle: ByteString { directory.appending(component: CaseRecord.oracleName) }

    /// Reads the oracle. Throws unless it ends with the lines that the trace recorded up to the crash.
    private func history(
        of recording: Recording, lineCount: Int, _ memory: MemoryGuard
    ) throws -> OracleHistory {
        let lines = recording.oracleLines.prefix(lineCount)
        let tracedBytes = lines.reduce(0) { $0 + Int($1.line.countBytes) + 1 }
        var traced = lines.makeIterator()
        try RunFiles.refuseLink(oracle)
        var isSame = RunFiles.size(of: oracle) >= tracedBytes
        let tracedFrom = max(0, RunFiles.size(of: oracle) - tracedBytes)
        try RunFiles.forEachLine(of: oracle, from: tracedFrom, followingLinks: false) { line in
            let wanted = traced.next()?.line
            isSame = try isSame && wanted.map { try recording.payloads.bytes(of: $0) == line } ?? false
        }
        guard isSame, traced.next() == nil else {
            throw CaseError.inconsistent(directory, reason: "its oracle does not end with the lines in its trace")
        }
        return try history(tracedBytes: tracedBytes, memory)
    }

    /// Reads the oracle. The recorded dump is the observation at the restart before the last life.
    ///
    /// - Parameter tracedBytes: the length of the lines that are also in the trace.
    private func history(tracedBytes: Int, _ memory: MemoryGuard) throws -> OracleHistory {
        var history = OracleHistory(oracle, memory)
        // The lines of the earlier lives end with the last restart line before the trace.
        let restart = Array(OracleLine.restart.encoded.dropLast())
        try RunFiles.refuseLink(oracle)
        let beforeBytes = RunFiles.size(of: oracle) - tracedBytes
        var (place, lastRestart) = (0, 0)
        try RunFiles.forEachLine(of: oracle, followingLinks: false) { line in
            place += line.count + 1
            if place <= beforeBytes, line == restart { lastRestart = place }
        }
        if lastRestart > 0 { try history.readAll(upTo: lastRestart, lastRestartShowing: try shown()) }
        try history.readAll()
        return history
    }

    private func shown() throws -> Observation {
        let path = directory.appending(component: CaseRecord.shownName)
        var reader = DumpReader()
        let text = try RunFiles.read(path, followingLinks: false)
        let recoveries = reader.read(text.span)
        guard case .opened(let observation)? = recoveries.first else {
            throw CaseError.inconsistent(directory, reason: "\(path) is not a whole dump")
        }
        return observation
    }
}
