import Bytes
import Exploration
import Machine
import Model
import Platform
import Runs
import Scenarios
import Storage
import Targets

/// A case with the syncs that the store misses, which are searched in the case's trace if the case does not name them.
package struct CaseExplanation: Sendable {
    package var replay: Replay
    /// What the crash state shows; its story ends with the missing syncs.
    package var outcome: Replay.Outcome
    /// Why no sync is searched; nil if one was.
    package var obstacle: Obstacle?

    /// Why a case has no missing sync.
    package enum Obstacle: Hashable, Sendable {
        /// A killed process loses nothing that it wrote.
        case killedProcess
        /// A live store shows it, without a crash.
        case noCrash
        /// Recovery does not show the same each time.
        case notDeterministic
        /// The trace is of a block device: the filesystem makes the flushes, not the store.
        case blockDevice
        /// It shows after a write to the recovered store and a second power cut, of which there is no trace.
        case writeAfterRecovery
        /// The state does not fail any more.
        case passes

        init?(_ record: CaseRecord) {
            if record.block != nil {
                self = .blockDevice
            } else if record.unstable != nil {
                self = .notDeterministic
            } else if record.live != nil || record.look != nil {
                self = .noCrash
            } else if !record.hasTrace || record.profile == .kill {
                self = .killedProcess
            } else if record.probing != nil {
                self = .writeAfterRecovery
            } else {
                return nil
            }
        }
    }

    /// Explains the case at `path`, a directory or an archive. What a search finds is kept in the case, if it is a directory.
    ///
    /// - Parameter seconds: the most time for the search.
    package static func explain(
        _ path: ByteString, seconds: Int, targets: TargetCatalog, reference: String? = nil, trusts: Bool = false,
        isSandboxed: Bool = true, wording: any Wording, memory: MemorySize = MachineMemory().defaultLimit,
        progress: @escaping @Sendable (RunProgress) -> Void = { _ in }
    ) throws -> CaseExplanation {
        try Replay.open(
            path, for: "explain", targets: targets, reference: reference, trusts: trusts, isSandboxed: isSandboxed,
            wording: wording, memory: memory, progress: progress
        ) { replay, context in
            try explain(replay, context, seconds: seconds, isKept: !CaseArchive.isFile(path))
        }
    }

    private static func explain(
        _ replay: Replay, _ context: RunContext, seconds: Int, isKept: Bool
    ) throws -> CaseExplanation {
        var replay = replay
        var obstacle = Obstacle(replay.record)
        let isKnown = replay.record.fix.map { $0.obstacle != .noTime } ?? false
        if obstacle == nil, !isKnown {
            let fix = try search(replay, context, seconds: seconds)
            obstacle = fix == nil ? .passes : nil
            replay.record.fix = fix
            if isKept, let fix, !context.shouldStop() {
                var record = try CaseRecord(directory: replay.directory)
                record.fix = fix
                try OutputFile.replace(
                    replay.directory.appending(component: CaseRecord.fileName), with: try record.encoded())
            }
        }
        let scratch = try directory("replay", context)
        let outcome = try replay.run(scratch: scratch, context)
        return CaseExplanation(replay: replay, outcome: outcome, obstacle: obstacle)
    }

    private static func directory(_ name: ByteString, _ context: RunContext) throws -> ByteString {
        let path = context.scratch.appending(component: name)
        try RunFiles.makeDirectory(path)
        return path
    }

    /// The missing syncs, searched in the case's trace, which ends at the crash; nil if the state does not fail.
    private static func search(_ replay: Replay, _ context: RunContext, seconds: Int) throws -> BarrierFix? {
        let client = RecoverClient(replay.target)
        defer { try? client.close() }
        context.progress("recovering the crash state")
        let scene = try replay.scene(client, scratch: try directory("states", context), context)
        let judgement = try scene.checker.confirm(scene.state)
        guard let symptom = judgement.symptom, .check(symptom.check) == replay.record.check else { return nil }
        let cause = Cause(symptom, losses: try scene.recording.losses(of: scene.state).patterns)
        let profile = replay.record.run.flatMap { Profile(rawValue: $0.profile) } ?? replay.profile
        let end = MonotonicTime.seconds() + Double(seconds)
        let shouldStop = context.shouldStop
        let explorer = try Explorer(
            scene.recording, profile: profile, limits: ExplorationLimits(), seed: replay.record.seed,
            recovery: scene.checker.recovery, confirming: scene.checker.recovery, judge: scene.checker.judge,
            workers: 1,
            memory: context.memory.budget, isOver: { shouldStop() || MonotonicTime.seconds() >= end })
        var search = FixSearch(explorer, scene.recording, profile) {
            if context.shouldStop() { return context.stopReason }
            return MonotonicTime.seconds() >= end ? .budget : nil
        }
        context.progress("looking for the missing sync")
        return try search.fix(for: cause)
    }
}
