import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Storage
import Targets

/// Does a case again: derives its crash state from its trace, recovers it, and judges it by its oracle.
package struct Replay: Sendable {
    package var directory: ByteString
    package var record: CaseRecord
    package var target: ConfiguredTarget
    package var profile: Profile
    package var contract: Contract
    package var lost: LostAtoms
    /// What a command that shows the case again has to say of the target.
    package let words: [String]
    /// Where no sandbox works, links that leave the state are followed.
    package let trusts: Bool
    /// The target's commands can write to the state alone.
    package let isSandboxed: Bool
    /// Puts what is shown into words.
    package let wording: any Wording

    /// What came of it.
    package struct Outcome: Sendable {
        /// The state that was derived; nil for a killed process, whose files are the case's image, and for a live store,
        /// whose run was done again.
        package var state: CrashState?
        /// What it lacks, in words.
        package var lost: [String]
        package var judgement: Judgement
        /// The whole story, if the violation shows again and the case has a trace.
        package var account: CrashStory?
        /// What two looks at the state showed, if they differ.
        package var looks: (UnstableState.Look, UnstableState.Look)?
        /// Links of the state that lead out of it.
        package var escapingLinks: [EscapingLink] = []
        /// What kept the recovery in.
        package var confinement = Confinement.none
        /// What a page shows of it; nil unless it was asked for.
        package var facts: FindingFacts?
    }

    /// Reads the case in `directory`. Only targets that are defined here are run: those that come with Faultline, and
    /// the one that `reference` names. A case may come from anywhere, and does not say by itself what is run, unless
    /// somebody `trusts` its manifest.
    ///
    /// - Parameter isSandboxed: false lets the target's commands write where they like.
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

    /// Shows the case at `path` again, a directory or an archive, in scratch space of its own; leaves nothing behind.
    ///
    /// - Parameter wantsFacts: whether to gather what a page shows.
    package static func show(
        _ path: ByteString, targets: TargetCatalog, reference: String? = nil, trusts: Bool = false,
        isSandboxed: Bool = true, wording: any Wording, memory: MemorySize = MachineMemory().usualLimit,
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

    /// The same in a directory beneath `scratch`.
    ///
    /// - Parameter context: what mounts are told to; without it none is made.
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

    /// Recovers the state in a directory beneath `scratch`, which it cannot leave: whoever made the case chose its links
    /// and what is in its files. Throws if a store that met no fault does not open either.
    ///
    /// - Parameter scratch: holds nothing else that matters.
    package func run(scratch: ByteString, _ context: RunContext? = nil) throws -> Outcome {
        let confined = try confined(to: scratch)
        var outcome = try confined.outcome(scratch: scratch, context)
        if outcome.judgement.broken.contains(.opens) { try confined.control(scratch: scratch) }
        outcome.confinement = confined.target.confinement
        return outcome
    }

    /// The same with a target that can write to `directory` alone.
    package func confined(to directory: ByteString) throws -> Replay {
        var replay = self
        replay.target.confinement = isSandboxed ? try .foreign(in: directory, trusts: trusts) : .none
        return replay
    }

    /// That the target's commands can be run at all is seen by a life without faults: what broke a promise is not at hand.
    package func control(scratch: ByteString) throws {
        // A live run is done again with a control of its own; what runs in this process needs none.
        guard record.live == nil, target.builtInStore == nil || record.probing == nil else { return }
        try RecoveryControl(target, scratch: scratch, shouldStop: { Interruption.shared.isInterrupted })
            .requireOfLife(seed: record.seed)
    }

    private func outcome(scratch: ByteString, _ context: RunContext?) throws -> Outcome {
        if !record.hasTrace { return try runImage(scratch: scratch, context) }
        if let live = record.live {
            guard let context else { throw RunError.harness("what a live store showed shows on a mount alone") }
            try record.checkTrace(in: directory)
            let place = try context.within("live")
            let (judgement, account) = try live.doAgain(
                confined(to: place.scratch).target, profile, contract, seed: record.seed,
                lookingFor: record.check.check,
                place)
            return Outcome(state: nil, lost: [], judgement: judgement, account: account)
        }
        let client = RecoverClient(target)
        defer { try? client.close() }
        let scene = try scene(client, scratch: scratch, context)
        if record.unstable != nil { return try lookAgain(scene, client, scratch: scratch, context) }
        let judgement = try scene.checker.confirm(scene.state)
        let faults = try record.faults(in: directory)
        var account = try judgement.violations.first.map {
            try wording.story(
                of: FailingState(
                    scene.recording, scene.state, $0, linesBefore: scene.linesBefore, faults: faults, look: record.look)
            )
        }
        account?.firstCrash = record.firstCrash
        return Outcome(
            state: scene.state, lost: try scene.recording.losses(of: scene.state).descriptions, judgement: judgement,
            account: account, escapingLinks: scene.state.tree.escapingLinks())
    }

    /// So often a state that showed different things is recovered, in fresh processes and in one that lives on.
    private static let lookCount = 8

    private func lookAgain(
        _ scene: Scene, _ client: RecoverClient, scratch: ByteString, _ context: RunContext?
    ) throws -> Outcome {
        let recovery = try recovery(scene.recording, client, scratch: scratch, context)
        let first = try recovery.recover(scene.state.tree, inFreshProcess: true).evidence
        let judge = EvidenceJudge(scene.history.validator, contract, linesBefore: scene.linesBefore)
        var outcome = Outcome(
            state: scene.state, lost: try scene.recording.losses(of: scene.state).descriptions,
            judgement: judge.judge(first, at: scene.state), escapingLinks: scene.state.tree.escapingLinks())
        for number in 1..<Self.lookCount {
            let next = try recovery.recover(scene.state.tree, inFreshProcess: number % 2 == 0).evidence
            if next.isEquivalent(to: first) { continue }
            outcome.looks = UnstableState.Look.pair(first, next)
            outcome.judgement = Judgement(.inconclusive, [])
            break
        }
        return outcome
    }

    /// The crash of a case that has a trace, ready to be recovered.
    struct Scene {
        package var recording: Recording
        package var state: CrashState
        package var history: OracleHistory
        /// How many oracle lines stand before those of the trace.
        package var linesBefore: Int
        package var checker: StateChecker
    }

    /// Reads the files of the case; states are recovered in directories beneath `scratch`.
    func scene(_ client: RecoverClient, scratch: ByteString, _ context: RunContext?) throws -> Scene {
        let memory = memory(of: context, scratch: scratch)
        let recording = try record.recording(in: directory, memory)
        let state = try recording.state(profile, at: record.crashPoint, .losing(lost))
        guard state.lost == lost else {
            throw CaseError.inconsistent(
                directory, reason: "at its crash point its trace has no such atoms to lose: '\(lost)'")
        }
        let history = try history(of: recording, lineCount: state.oracleLineCount, memory)
        let linesBefore = history.lineCount - state.oracleLineCount
        return Scene(
            recording: recording, state: state, history: history, linesBefore: linesBefore,
            checker: StateChecker(
                recovery: try recovery(recording, client, scratch: scratch, context),
                judge: EvidenceJudge(history.validator, contract, linesBefore: linesBefore), memory: memory.budget))
    }

    private func memory(of context: RunContext?, scratch: ByteString) -> MemoryGuard {
        context?.memory ?? MemoryGuard(.usual(spillingNear: scratch), scratch: scratch)
    }

    /// Through the target's command; where the store is to be written after it, in this process or on a mount.
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
            throw RunError.harness("what a store does when it is written after recovery shows on a mount alone")
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

    /// The case's oracle, whose last lines must be those that its trace recorded up to the crash.
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

    /// The lines before those of the trace, of which the last life began with what the case says that the store showed,
    /// and those of the trace.
    ///
    /// - Parameter tracedBytes: how many bytes those of the trace take.
    private func history(tracedBytes: Int, _ memory: MemoryGuard) throws -> OracleHistory {
        var history = OracleHistory(oracle, memory)
        // The lives before the last one, with the line that ended them.
        let restart = Array(OracleLine.restart.encoded.dropLast())
        try RunFiles.refuseLink(oracle)
        let beforeBytes = RunFiles.size(of: oracle) - tracedBytes
        var (place, lastRestart) = (0, 0)
        try RunFiles.forEachLine(of: oracle, followingLinks: false) { line in
            place += line.count + 1
            if place <= beforeBytes, line == restart { lastRestart = place }
        }
        if lastRestart > 0 { try history.takeAll(upTo: lastRestart, lastRestartShowing: try shown()) }
        try history.takeAll()
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
