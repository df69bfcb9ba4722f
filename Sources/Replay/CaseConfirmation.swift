import Block
import Bytes
import Exploration
import Machine
import Runs
import Scenarios
import Storage
import Targets

/// Tries to reproduce the finding of a case below real filesystems, and records the outcome in the case.
package struct CaseConfirmation: Sendable {
    private let directory: ByteString
    private let request: RunRequest
    package let cause: TargetCause
    /// The reason why no filesystem can show it; nil if one may.
    private let obstacle: Obstacle?

    /// - Parameter replay: the case, with the target to run.
    package init(_ replay: Replay) throws {
        directory = replay.directory
        let record = replay.record
        let path = replay.directory.appending(component: CaseRecord.fileName)
        guard let plan = record.run else {
            throw CaseError.unreadable(
                path, reason: "it is of an older version and does not say how its run is done again")
        }
        var request = try plan.request(replay.target, path: path)
        if !replay.isSandboxed { request.target.confinement = .none }
        self.request = request
        cause = TargetCause(check: record.check, lossKinds: record.lossKinds ?? [], cause: record.cause)
        obstacle = Self.obstacle(to: record) ?? Confirmer.obstacle(to: request)
    }

    private static func obstacle(to record: CaseRecord) -> Obstacle? {
        if record.live != nil || record.look != nil { return .showsWithoutCrash }
        if record.unstable != nil { return .notDeterministic }
        if record.firstCrash != nil { return .cutDuringRecovery }
        return record.probing == nil ? nil : .writeAfterRecovery
    }

    /// Repeats the workload below each filesystem.
    ///
    /// - Parameters:
    ///   - seconds: the time limit for each filesystem.
    ///   - lacking: what is missing on this machine for these needs; nil if nothing is.
    package func run(
        below filesystems: [BlockFilesystem], seconds: Int, in session: RunSession,
        lacking: @escaping @Sendable ([MachineNeed]) -> String?, progress: @escaping @Sendable (RunProgress) -> Void
    ) -> [(confirmation: Confirmation, result: RunResult?)] {
        let confirmer = Confirmer(request, seconds: seconds, in: session, obstacle: lacking)
        return filesystems.map { filesystem in
            let attempt = obstacle.map(confirmer.cannot) ?? confirmer.run(below: filesystem, progress: progress)
            let result: RunResult? = if case .ran(let result) = attempt { result } else { nil }
            return (Confirmation(of: cause, below: filesystem, in: attempt), result)
        }
    }

    /// Writes the outcomes to `case.json`. They replace earlier outcomes for the same filesystems.
    package func keep(_ confirmations: [Confirmation]) throws {
        var record = try CaseRecord(directory: directory)
        let others = (record.confirmed ?? []).filter { old in
            !confirmations.contains { $0.filesystem == old.filesystem }
        }
        record.confirmed = others + confirmations
        try OutputFile.replace(directory.appending(component: CaseRecord.fileName), with: try record.encoded())
    }

    /// Opens the case at `path`, a directory or an archive, and passes it to `body`. An archive is unpacked to a
    /// temporary directory, so outcomes cannot be kept in it.
    package static func open<Answer>(
        _ path: ByteString, targets: TargetCatalog, reference: String?, trusts: Bool, isSandboxed: Bool,
        wording: any Wording, _ body: (CaseConfirmation, _ isArchive: Bool) throws -> Answer
    ) throws -> Answer {
        try CaseArchive.withDirectory(of: path, for: "confirm") { directory in
            let replay = try Replay(
                directory: directory, targets: targets, reference: reference, trusts: trusts,
                isSandboxed: isSandboxed,
                wording: wording)
            return try body(CaseConfirmation(replay), CaseArchive.isFile(path))
        }
    }
}
