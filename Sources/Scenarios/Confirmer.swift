import Block
import Exploration
import Machine
import Model
import Runs
import Targets

/// Repeats the workload of a run below real filesystems, with the same seed, to reproduce its findings there.
package struct Confirmer: Sendable {
    /// The filesystems to try by default.
    package static let defaultFilesystems: [BlockFilesystem] = [.ext4, .xfs, .btrfs]
    /// The default time limit for each filesystem, in seconds.
    package static let defaultSeconds = 60

    private let request: RunRequest
    private let seconds: Int
    private let session: RunSession
    /// What is missing on this machine for these needs; nil if nothing is.
    private let obstacle: @Sendable ([MachineNeed]) -> String?

    /// - Parameter request: the run with the findings, on files or below any filesystem.
    package init(
        _ request: RunRequest, seconds: Int, in session: RunSession,
        obstacle: @escaping @Sendable ([MachineNeed]) -> String?
    ) {
        (self.request, self.seconds, self.session, self.obstacle) = (request, seconds, session, obstacle)
    }

    package func run(
        below filesystem: BlockFilesystem, progress: @escaping @Sendable (RunProgress) -> Void
    ) -> Confirmation.Attempt {
        var scenario = BlockScenario()
        scenario.exploration.explore(below: filesystem)
        // For a run below a filesystem, keep the sector size and the faults of its device.
        if let block = request.scenario.block {
            scenario.exploration.block?.sectorBytes = block.sectorBytes
            let explored = request.scenario as? ExploreScenario ?? (request.scenario as? BlockScenario)?.exploration
            scenario.exploration.rules = explored?.rules ?? []
        }
        scenario.budget = RunBudget(seconds: seconds)
        var below = RunRequest(
            target: request.target, scenario: scenario, contract: request.contract, seed: request.seed,
            operationCount: request.operationCount)
        below.shape = request.shape
        below.known = []
        if let obstacle = obstacle(below.needs) { return .cannot(reason: obstacle) }
        return .ran(session.run(below) { progress($0.within(filesystem.rawValue)) })
    }

    /// Tries to reproduce each finding of `result` that a power cut below a filesystem can show, and records the
    /// outcomes there.
    package func confirm(
        _ result: inout RunResult, below filesystems: [BlockFilesystem] = Confirmer.defaultFilesystems,
        progress: @escaping @Sendable (RunProgress) -> Void
    ) {
        guard result.findings.contains(where: { $0.check != .filesystem }) else { return }
        let obstacle = Self.obstacle(to: request)
        for filesystem in filesystems {
            let attempt =
                obstacle.map(cannot) ?? run(below: filesystem, progress: progress)
            for index in result.findings.indices where result.findings[index].check != .filesystem {
                let finding = result.findings[index]
                let cause = TargetCause(
                    check: .check(finding.check), lossKinds: finding.lossKinds, cause: finding.cause)
                let own = Self.obstacle(to: finding).map(cannot) ?? attempt
                let confirmation = Confirmation(of: cause, below: filesystem, in: own)
                result.findings[index].confirmed = (finding.confirmed ?? []) + [confirmation]
            }
        }
    }

    /// The reason why no finding of a run can show below a filesystem; nil if one can.
    package static func obstacle(to request: RunRequest) -> Obstacle? {
        switch type(of: request.scenario).failureMode {
        case .none, .processKill: .noPowerCutShowedIt
        case .fileFaults: .fileFaultShowedIt
        case .powerCut:
            request.scenario.texts(of: "rule").isEmpty || request.scenario.block != nil ? nil : .fileFaultShowedIt
        }
    }

    /// The reason why this finding cannot show below a filesystem; nil if it can.
    package static func obstacle(to finding: Finding) -> Obstacle? {
        if finding.cause?.isDuringRecovery == true { return .cutDuringRecovery }
        if finding.check == .writable { return .writeAfterRecovery }
        return finding.strongestProfile == .noCrash ? .showsWithoutCrash : nil
    }

    /// The outcome for an obstacle.
    package func cannot(_ obstacle: Obstacle) -> Confirmation.Attempt {
        .cannot(reason: session.wording.words(for: obstacle))
    }
}
