import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios
import Storage
import Targets

/// Minimises a case: the fewest lost operations, at the earliest crash point, under the strongest profile that still
/// fails in the same way, in the shortest prefix of the run with the same cause.
package struct CaseMinimiser {
    /// The result of a minimisation.
    package struct Outcome: Sendable {
        package var before: CrashState
        /// The arguments that select the target in a command that replays the case.
        package var words: [String]
        /// The smaller case, replayed; nil if the case no longer fails.
        package var after: (replay: Replay, outcome: Replay.Outcome)?
    }

    private let replay: Replay
    private let context: RunContext

    /// Minimises the case at `path`, a directory or an archive, and writes the smaller case to the directory `output`,
    /// which must not exist.
    package static func minimise(
        _ path: ByteString, to output: ByteString, targets: TargetCatalog, reference: String? = nil,
        trusts: Bool = false, isSandboxed: Bool = true, wording: any Wording,
        memory: MemorySize = MachineMemory().defaultLimit,
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) throws -> Outcome {
        try Replay.open(
            path, for: "minimise", targets: targets, reference: reference, trusts: trusts, isSandboxed: isSandboxed,
            wording: wording, memory: memory, progress: progress
        ) { replay, context in
            try CaseMinimiser(replay: replay, context: context).minimise(to: output, targets: targets)
        }
    }

    private func minimise(to output: ByteString, targets: TargetCatalog) throws -> Outcome {
        guard replay.record.hasTrace else {
            throw CaseError.notMinimised(replay.directory, reason: "a killed process leaves no trace")
        }
        guard replay.record.unstable == nil else {
            throw CaseError.notMinimised(
                replay.directory, reason: "its recovery is not deterministic: no smaller state can be told from it")
        }
        guard replay.record.live == nil else {
            throw CaseError.notMinimised(
                replay.directory, reason: "a live store showed it, and no state that a crash leaves")
        }
        let client = RecoverClient(replay.target)
        defer { try? client.close() }
        let scene = try replay.scene(client, scratch: try makeDirectory("states"), context)
        let symptom = try scene.checker.check(scene.state).symptom
        guard let symptom, .check(symptom.check) == replay.record.check else {
            return Outcome(before: scene.state, words: replay.words)
        }
        var count = 0
        func fails(_ state: CrashState) throws -> Bool {
            if context.shouldStop() { throw RunError.interrupted }
            count += 1
            context.progress("minimise: \(count.counted("smaller state")) tried")
            return try scene.checker.check(state).symptom == symptom
        }
        if replay.record.check == .check(.opens) { try replay.control(scratch: context.scratch) }
        // Each smaller state could hang too, at the cost of the full timeout.
        guard !scene.checker.hangs(scene.state.tree) else { return Outcome(before: scene.state, words: replay.words) }
        let minimiser = Minimiser(scene.recording, everyPointAtMost: .max)
        let smallest = try minimiser.inShortestPrefix(
            try minimiser.minimise(scene.state, fails: fails), fails: fails)
        for state in [smallest, scene.state] {
            let judgement = try scene.checker.confirm(state)
            guard let violation = judgement.violations.first, .check(violation.check) == replay.record.check else {
                continue
            }
            try write(state, violation, of: scene, to: output)
            var smaller = try Replay(
                directory: output, targets: targets, reference: replay.target.target.reference.shown,
                trusts: replay.trusts, isSandboxed: replay.isSandboxed, wording: replay.wording)
            smaller.target = replay.target
            let outcome = try smaller.run(scratch: try makeDirectory("replay"), context)
            return Outcome(before: scene.state, words: replay.words, after: (smaller, outcome))
        }
        return Outcome(before: scene.state, words: replay.words)
    }

    private func makeDirectory(_ name: ByteString) throws -> ByteString {
        let path = context.scratch.appending(component: name)
        try RunFiles.makeDirectory(path)
        return path
    }

    private func write(
        _ state: CrashState, _ violation: Violation, of scene: Replay.ReplayContext, to directory: ByteString
    ) throws {
        try OutputDirectory.make(directory) { try fill($0, state, violation, of: scene) }
    }

    private func fill(
        _ directory: ByteString, _ state: CrashState, _ violation: Violation, of scene: Replay.ReplayContext
    ) throws {
        let shown = replay.directory.appending(component: CaseRecord.shownName)
        let oracle = try scene.history.text(firstLines: scene.linesBefore + state.oracleLineCount)
        try CaseWriter.write(
            state, of: scene.recording, oracle: oracle, shown: SmallFile.contents(of: shown), to: directory)
        var record = replay.record
        if replay.words.first == "--target" { record.manifestPath = replay.words.last }
        let losses = try scene.recording.losses(of: state)
        // The known fix is of the losses that the case had.
        if record.cause?.losses != losses.patterns { record.fix = nil }
        record.cause?.losses = losses.patterns
        record.lossKinds = losses.patterns.map(\.description)
        record.profile = state.profile
        record.crashPoint = state.crashPoint
        record.lost = state.lost.description
        record.neighbours = try scene.recording.neighbours(of: state) { neighbour in
            let judgement = try scene.checker.checkUncounted(neighbour)
            return scene.checker.hangs(neighbour.tree) ? nil : judgement
        }
        record.story = replay.wording.words(
            for: .crash(
                CrashFact(
                    eventCount: state.crashPoint, lost: losses.descriptions, violation,
                    firstCrash: record.firstCrash.map(FirstCrash.told))))
        try record.write(to: directory)
        try CaseWriter.writeScripts(of: replay.target.target.manifest, to: directory)
    }
}
