import Bytes
import Exploration
import Glibc
import Machine
import Model
import Runs
import Targets

extension ScenarioName {
    package static let explore = ScenarioName(rawValue: "explore")
}

/// One run is recorded, and every disk state that a crash could have left of it is checked.
package struct ExploreScenario: Scenario {
    package static let name = ScenarioName.explore
    package static let summary = "record once, and check every disk state that a crash could have left"
    package static let subcommand: String? = "explore"
    package static let needs: [MachineNeed] = [.fuse]
    package static let losesByProfile = true
    package static let takesEveryProfile = true

    /// How far it goes where it cannot go everywhere.
    package var limits = ExplorationLimits()
    package var budget: RunBudget? = RunBudget()
    /// After recovery a key is written, and the power goes again.
    package var probesWriting = false
    /// Faults of the recorded run.
    package var rules: [Rule] = []
    /// Instead of one workload: every sequence of so many small steps (`SmallStep`); nil for the one.
    package var smallWorkloadSteps: Int?
    /// Built-in stores are explored through their commands, like any other target.
    package var usesCommands = false
    /// Below a real filesystem: the sectors of its device are recorded, and each image is mounted. Nil for the store's files.
    package var block: BlockSetup?
    /// The directory of a run that was stopped, to be continued; nil to begin.
    package var resumed: ByteString?
    /// It ends as soon as it found this cause.
    package var sought: SoughtCause?

    package init() {}

    package var continuesRun: Bool { resumed != nil }

    package mutating func seek(_ cause: SoughtCause) { sought = cause }

    /// The store that is explored inside this process, on storage in memory: that asks nothing of the machine.
    func storeInMemory(_ target: ConfiguredTarget) -> BuiltInStore? {
        usesCommands || block != nil ? nil : target.builtInStore
    }

    package func needs(on target: ConfiguredTarget) -> [MachineNeed] {
        block?.needs ?? (storeInMemory(target) == nil ? Self.needs : [])
    }

    package func objection(
        to request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? {
        if let problem = blockObjection { return problem }
        if storeInMemory(request.target) != nil, request.shape.threadCount > 1 {
            return OptionProblem(
                "threads",
                "\(option: "threads"): a store in memory is explored with one client; take \(option: "commands")")
        }
        if request.profiles == .every, limits.depth > 1 || probesWriting || smallWorkloadSteps != nil {
            return OptionProblem(
                "profile",
                """
                \(option: "profile") all goes with none of \(option: "depth") 2, \(option: "writable") and \
                \(option: "workloads") small
                """)
        }
        guard place != nil, let resumed else { return nil }
        do {
            try ExplorationFiles(directory: resumed).check(request.arguments(withLimits: false), program: program)
            return nil
        } catch {
            return OptionProblem("resume", "\(error)")
        }
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        ExploreRun(self, request, context, program: program)
    }

    package func doubt(about tally: RunTally) -> Doubt? {
        if let coverage = tally.coverage, coverage.counts.unstable > 0 { return .notDeterministic(coverage) }
        return tally.counts.lossy == 0 ? .nothingLost : nil
    }
}
