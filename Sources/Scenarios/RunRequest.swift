import Bytes
import Exploration
import Model
import Oracle
import Targets

/// What one run is asked to do. The same request gives the same workload and the same cuts.
package struct RunRequest: Sendable {
    package var target: ConfiguredTarget
    package var scenario: Scenario
    package var profile: Profile
    package var contract: Contract
    package var seed: UInt64
    /// How many operations the workload does in one cycle.
    package var operationCount: UInt64
    /// What else there is to say of the workload.
    package var shape = WorkloadShape()
    /// How many times the power goes, or the process dies, while the workload runs, each time continuing on what survived.
    package var cycles: Int
    /// `kill`: what the process dies at; nil for seeded times.
    package var killTrigger: KillTrigger?
    /// `power-cut`: where the power goes, once each a cycle; empty for seeded moments and the usual aims.
    package var cutAims: [CutAim] = []
    /// `io-error`: these rules together, and not each family of faults in its turn.
    package var rules: [Rule] = []
    /// `io-error`: each family is tried at every place of the run, and not at a few.
    package var sweepsFaults = false
    /// `explore`: under every profile of `Profile.filesystems`, from the strongest on, and not under `profile` alone.
    package var usesEveryProfile = false
    /// `explore`: how far it goes.
    package var exploration = ExplorationLimits()
    /// A pass may stand for a part of the epochs: what the budget left out is said and accepted.
    package var acceptsPartial = false
    /// Findings that are accepted: those of the target, and more of a matrix.
    package var known: [KnownFinding]
    /// An exploration ends as soon as it found this cause.
    package var sought: SoughtCause?
    /// `explore`: the directory of a run that was stopped, to be gone on with; nil to begin.
    package var resumed: ByteString?

    package init(
        target: ConfiguredTarget, scenario: Scenario, profile: Profile = .ext4Ordered, contract: Contract,
        seed: UInt64 = 1, operationCount: UInt64 = 100, cycles: Int? = nil
    ) {
        self.target = target
        self.scenario = scenario
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.operationCount = operationCount
        self.cycles = cycles ?? scenario.usualCycles
        known = target.target.known
    }

    /// What the workload of one life is told.
    ///
    /// - Parameters:
    ///   - operations: how many it does, if not as many as usual.
    ///   - oracleMayShare: nothing but the process is going to fail.
    func environment(
        _ directory: ByteString, oracle: ByteString, firstSeq: UInt64, operations: UInt64? = nil,
        oracleMayShare: Bool = false
    ) -> WorkloadEnvironment {
        WorkloadEnvironment(
            directory: directory, oracle: oracle, seed: seed, operationCount: operations ?? operationCount,
            firstSeq: firstSeq, oracleMayShareFilesystem: oracleMayShare, shape: shape)
    }

    /// What `--profile` says.
    package var profileName: String { usesEveryProfile ? RunRequest.everyProfile : profile.rawValue }

    package static let everyProfile = "all"

    /// The profiles under which states are derived.
    var profiles: [Profile] { usesEveryProfile ? Profile.filesystems : [profile] }

    /// Where the power goes, cut by cut.
    var aims: [CutAim] {
        guard cycles > 0 else { return [] }
        if !cutAims.isEmpty { return (0..<cycles).flatMap { _ in cutAims } }
        return Array(repeating: .phase(.work), count: cycles) + CutAim.usual
    }

    /// The store that is explored inside this process, on storage in memory: that asks nothing of the machine.
    package var storeInMemory: BuiltInStore? {
        scenario == .explore && !exploration.usesCommands ? target.builtInStore : nil
    }
}
