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

/// Records one run and checks every disk state that a crash could have left.
package struct ExploreScenario: Scenario {
    package static let name = ScenarioName.explore
    package static let summary = "record once, and check every disk state that a crash could have left"
    package static let failureMode = FailureMode.powerCut
    package static let subcommand: String? = "explore"
    package static let needs: [MachineNeed] = [.fuse]
    package static let losesByProfile = true
    package static let takesEveryProfile = true

    /// The limits of the exploration of each epoch.
    package var limits = ExplorationLimits()
    package var budget: RunBudget? = RunBudget()
    /// Whether to write a key after recovery and cut the power again.
    package var probesWriting = false
    /// The fault rules of the recorded run.
    package var rules: [Rule] = []
    /// Explore all sequences of this many small steps (`SmallStep`) instead of one workload; nil for the workload.
    package var smallWorkloadSteps: Int?
    /// Whether crashes may also come during the target's init command.
    package var includesInit = false
    /// Whether to explore a built-in store through its commands, like any other target.
    package var usesCommands = false
    /// The real filesystem to explore below: its sectors are recorded, and each image is mounted. nil for the store's
    /// files.
    package var block: BlockSetup?
    /// What records the device below that filesystem.
    package var recorder = DeviceRecorder.served
    /// The directory of the run to resume; nil for a new run.
    package var resumed: ByteString?
    /// Stop as soon as this cause is found.
    package var targetCause: TargetCause?

    /// Whether to leave out the barriers of each pattern, and say which of them a crash state needs.
    package var findsBarriers = false
    /// Whether no missing syncs are searched for the findings.
    package var skipsFixes = false
    /// The least time for that search, in seconds; without a budget it may take as long as the exploration took, if that is
    /// more. nil for no limit at all.
    package var fixSeconds: Double? = 10

    package init() {}

    package var continuesRun: Bool { resumed != nil }

    package mutating func seek(_ cause: TargetCause) { targetCause = cause }

    /// The store to explore in this process, on storage in memory, which needs nothing from the machine; nil if it
    /// needs its commands.
    func storeInMemory(_ target: ConfiguredTarget) -> BuiltInStore? {
        usesCommands || block != nil ? nil : target.builtInStore
    }

    package func needs(on target: ConfiguredTarget) -> [MachineNeed] {
        block.map { recorder.needs(below: $0) } ?? (storeInMemory(target) == nil ? Self.needs : [])
    }

    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? {
        if let problem = blockOptionProblem { return problem }
        if includesInit, place == .commandLine, let problem = OptionProblem.initCommandMissing(request.target) {
            return problem
        }
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

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        if let coverage = tally.coverage, coverage.counts.unstable > 0 { return .notDeterministic(coverage) }
        return tally.counts.lossy == 0 ? .nothingLost : nil
    }
}
