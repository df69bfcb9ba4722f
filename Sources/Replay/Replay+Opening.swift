import Bytes
import Machine
import Runs
import Scenarios
import Storage
import Targets

extension Replay {
    /// Opens the case at `path`, a directory or an archive, in a run directory that is removed afterwards, and passes it to
    /// `body` with its recoveries confined to the context's scratch.
    package static func open<Answer>(
        _ path: ByteString, for purpose: String, targets: TargetCatalog, reference: String?, trusts: Bool,
        isSandboxed: Bool, wording: any Wording, memory: MemorySize,
        progress: @escaping @Sendable (RunProgress) -> Void,
        _ body: (Replay, RunContext) throws -> Answer
    ) throws -> Answer {
        try CaseArchive.withDirectory(of: path, for: purpose) { directory in
            let run = try RunDirectory(in: RunDirectory.parent(option: nil), target: "case", scenario: purpose, seed: 0)
            let answer = Result {
                let context = try RunContext(
                    run, wording: wording, memory: memory, shouldStop: { Interruption.shared.isInterrupted },
                    progress: progress)
                let confined = try context.within("states")
                let replay = try Replay(
                    directory: directory, targets: targets, reference: reference, trusts: trusts,
                    isSandboxed: isSandboxed, wording: wording
                ).confined(to: confined.scratch)
                return try confined.guarded { try body(replay, confined) }
            }
            try run.finish()
            try TreeRemoval.remove(run.path)
            return try answer.get()
        }
    }
}
