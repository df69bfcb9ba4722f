import Bytes
import Exploration
import Machine
import Oracle
import Runs
import Scenarios
import Storage
import Targets

/// Repeats the run of a case with the current store, and looks for the cause of the case.
///
/// A replay recovers the recorded crash state, so only a fix of the recovery changes its result. A recheck records the
/// workload again, with the same seed and options: it also shows a fix of the write path.
package struct Recheck: Sendable {
    /// Whether the cause still shows.
    package enum Outcome: Sendable {
        /// The run checked everything that it can and did not find the cause.
        case gone
        /// The run found the cause.
        case shows(Finding)
        /// The run was inconclusive.
        case unknown(reason: String)
        /// The run found other causes, and did not fully explore every epoch.
        case notExplored(RunResult.Explored)
        /// The harness or the setup failed.
        case failed(String)

        package var verdict: Verdict {
            switch self {
            case .gone: .pass
            case .shows: .violation
            case .unknown, .notExplored: .inconclusive
            case .failed: .harnessError
            }
        }
    }

    package let record: CaseRecord
    package let cause: TargetCause
    private var request: RunRequest

    /// - Parameter replay: the case, with the target to run.
    package init(_ replay: Replay) throws {
        record = replay.record
        try record.checkTrace(in: replay.directory)
        let path = replay.directory.appending(component: CaseRecord.fileName)
        guard let plan = record.run else {
            throw CaseError.unreadable(
                path,
                reason: "it is of an older version and does not say how its run is done again: run the target anew")
        }
        cause = TargetCause(check: record.check, lossKinds: record.lossKinds ?? [], cause: record.cause)
        request = try plan.request(replay.target, path: path)
        request.scenario.seek(cause)
        if !replay.isSandboxed { request.target.confinement = .none }
    }

    /// The scenario of the run, to check before the run begins.
    package var scenario: ScenarioName { request.scenario.name }
    package var needs: [MachineNeed] { request.needs }

    /// Sets the time limit, for a scenario that has a budget; nil for no limit.
    package mutating func limit(toSeconds seconds: Int?) { request.scenario.budget?.seconds = seconds }

    package func run(
        in session: RunSession, progress: @escaping @Sendable (RunProgress) -> Void
    ) -> (result: RunResult, outcome: Outcome) {
        let result = session.run(request, progress: progress)
        return (result, outcome(of: result))
    }

    private func outcome(of result: RunResult) -> Outcome {
        if let finding = result.findings.first(where: cause.matches) { return .shows(finding) }
        let reason = result.reason ?? ""
        switch result.verdict {
        case .pass: return .gone
        case .violation:
            guard let explored = result.explored, explored.isPartial else { return .gone }
            return .notExplored(explored)
        case .inconclusive, .filesystem: return .unknown(reason: reason)
        case .harnessError: return .failed(reason)
        }
    }

    /// Opens the case at `path`, a directory or an archive, and passes it to `body`. Removes the unpacked files
    /// afterwards.
    package static func open<Answer>(
        _ path: ByteString, targets: TargetCatalog, reference: String?, trusts: Bool, isSandboxed: Bool = true,
        wording: any Wording, _ body: (Recheck) throws -> Answer
    ) throws -> Answer {
        try CaseArchive.withDirectory(of: path, for: "recheck") { directory in
            let replay = try Replay(
                directory: directory, targets: targets, reference: reference, trusts: trusts, isSandboxed: isSandboxed,
                wording: wording)
            return try body(Recheck(replay))
        }
    }
}
