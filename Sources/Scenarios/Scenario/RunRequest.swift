import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Targets

/// The request for a run: a scenario with its options, and the options that every run has. Equal requests give the same
/// workload and the same cuts.
package struct RunRequest: Sendable {
    package var target: ConfiguredTarget
    package var scenario: any Scenario
    package var profiles: ProfileChoice {
        get { scenario.fixedProfile.map(ProfileChoice.one) ?? requestedProfiles }
        set { requestedProfiles = newValue }
    }
    /// The profiles as given; unused if the scenario has its own profile.
    private(set) var requestedProfiles: ProfileChoice
    package var contract: Contract
    package var seed: UInt64
    /// The number of operations of the workload in one cycle.
    package var operationCount: UInt64
    /// The other parameters of the workload.
    package var shape = WorkloadShape()
    /// The known findings to accept, from the target and the matrix.
    package var known: [KnownFinding]

    package init(
        target: ConfiguredTarget, scenario: any Scenario, profiles: ProfileChoice, contract: Contract,
        seed: UInt64 = 1, operationCount: UInt64 = 100
    ) {
        self.target = target
        self.scenario = scenario
        requestedProfiles = profiles
        self.contract = contract
        self.seed = seed
        self.operationCount = operationCount
        known = target.known
    }

    package init(
        target: ConfiguredTarget, scenario: any Scenario, profile: Profile = .ext4Ordered, contract: Contract,
        seed: UInt64 = 1, operationCount: UInt64 = 100
    ) {
        self.init(
            target: target, scenario: scenario, profiles: .one(profile), contract: contract, seed: seed,
            operationCount: operationCount)
    }

    /// The profile; with `--profile all` the first of `Profile.filesystems`.
    package var profile: Profile {
        get {
            switch profiles {
            case .one(let profile): profile
            case .every: Profile.filesystems[0]
            }
        }
        set { profiles = .one(newValue) }
    }

    /// The environment for the workload of one life.
    ///
    /// - Parameters:
    ///   - operations: the number of operations, if it differs from `operationCount`.
    ///   - oracleMayShare: allows the oracle on the filesystem of the store, if only the process can fail.
    package func environment(
        _ directory: ByteString, oracle: ByteString, firstSeq: UInt64, operations: UInt64? = nil,
        oracleMayShare: Bool = false
    ) -> WorkloadEnvironment {
        WorkloadEnvironment(
            directory: directory, oracle: oracle, seed: seed, operationCount: operations ?? operationCount,
            firstSeq: firstSeq, oracleMayShareFilesystem: oracleMayShare, shape: shape)
    }

    /// What the run needs from the machine, in addition to the target's programs.
    package var needs: [MachineNeed] { scenario.needs(on: target) }

    /// Whether the run may pass although its budget left something out.
    package var allowsPartial: Bool { scenario.budget?.allowsPartial ?? false }

    /// The arguments that repeat this run.
    ///
    /// - Parameter withLimits: false for only the arguments that a resumed exploration must share with the first run.
    package func arguments(withLimits: Bool = true) -> [String] {
        let scenario = scenario
        let type = type(of: scenario)
        var words = [type.subcommand ?? "run", "\(target.target.reference)"]
        if type.subcommand == nil { words += ["--scenario", type.name.rawValue] }
        for setting in target.configuration { words += ["--set", "\(setting.name)=\(setting.value)"] }
        if scenario.fixedProfile == nil { words += ["--profile", profiles.name] }
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
    /// Makes the control for the target of `request`.
    package init(_ request: RunRequest, _ context: RunContext) {
        self.init(request.target, scratch: context.scratch, shouldStop: context.shouldStop)
    }
}
