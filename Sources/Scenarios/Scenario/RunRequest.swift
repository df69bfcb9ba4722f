import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Targets

/// What one run is asked to do: a scenario with its options, and what every run has. The same request gives the same workload and the same cuts.
package struct RunRequest: Sendable {
    package var target: ConfiguredTarget
    package var scenario: any Scenario
    package var profiles: ProfileChoice {
        get { scenario.ownProfile.map(ProfileChoice.one) ?? chosenProfiles }
        set { chosenProfiles = newValue }
    }
    /// As they were given; a scenario with a profile of its own takes no others.
    private(set) var chosenProfiles: ProfileChoice
    package var contract: Contract
    package var seed: UInt64
    /// How many operations the workload does in one cycle.
    package var operationCount: UInt64
    /// What else there is to say of the workload.
    package var shape = WorkloadShape()
    /// Findings that are accepted: those of the target, and more of a matrix.
    package var known: [KnownFinding]

    package init(
        target: ConfiguredTarget, scenario: any Scenario, profiles: ProfileChoice, contract: Contract,
        seed: UInt64 = 1, operationCount: UInt64 = 100
    ) {
        self.target = target
        self.scenario = scenario
        chosenProfiles = profiles
        self.contract = contract
        self.seed = seed
        self.operationCount = operationCount
        known = target.target.known
    }

    package init(
        target: ConfiguredTarget, scenario: any Scenario, profile: Profile = .ext4Ordered, contract: Contract,
        seed: UInt64 = 1, operationCount: UInt64 = 100
    ) {
        self.init(
            target: target, scenario: scenario, profiles: .one(profile), contract: contract, seed: seed,
            operationCount: operationCount)
    }

    /// The profile; of several the strongest.
    package var profile: Profile {
        get {
            switch profiles {
            case .one(let profile): profile
            case .every: Profile.filesystems[0]
            }
        }
        set { profiles = .one(newValue) }
    }

    /// What the workload of one life is told.
    ///
    /// - Parameters:
    ///   - operations: how many it does, if not as many as usual.
    ///   - oracleMayShare: nothing but the process is going to fail.
    package func environment(
        _ directory: ByteString, oracle: ByteString, firstSeq: UInt64, operations: UInt64? = nil,
        oracleMayShare: Bool = false
    ) -> WorkloadEnvironment {
        WorkloadEnvironment(
            directory: directory, oracle: oracle, seed: seed, operationCount: operations ?? operationCount,
            firstSeq: firstSeq, oracleMayShareFilesystem: oracleMayShare, shape: shape)
    }

    /// What it needs of the machine beside the target's programs.
    package var needs: [MachineNeed] { scenario.needs(on: target) }

    /// What a budget left out is accepted.
    package var acceptsPartial: Bool { scenario.budget?.acceptsPartial ?? false }

    /// The arguments that do this run again.
    ///
    /// - Parameter withLimits: false for what an exploration that is continued must have in common with its beginning.
    package func arguments(withLimits: Bool = true) -> [String] {
        let scenario = scenario
        let type = type(of: scenario)
        var words = [type.subcommand ?? "run", "\(target.target.reference)"]
        if type.subcommand == nil { words += ["--scenario", type.name.rawValue] }
        for setting in target.configuration { words += ["--set", "\(setting.name)=\(setting.value)"] }
        if scenario.ownProfile == nil { words += ["--profile", profiles.name] }
        words += ["--contract", contract.name]
        words += ["--seed", "\(seed)", "--ops", "\(operationCount)"]
        if let bytes = shape.valueBytes { words += ["--value-len", "\(bytes)"] }
        if shape.threadCount > 1 { words += ["--threads", "\(shape.threadCount)"] }
        words += scenario.words(limits: false)
        guard withLimits else { return words }
        if target.confinement == .none { words.append("--no-sandbox") }
        return words + scenario.words(limits: true)
    }
}

extension RecoveryControl {
    /// The control of the target of `request`.
    package init(_ request: RunRequest, _ context: RunContext) {
        self.init(request.target, scratch: context.scratch, shouldStop: context.shouldStop)
    }
}
