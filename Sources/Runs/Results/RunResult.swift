import Bytes
import Exploration
import Model
import Oracle

/// The result of one run, as printed by `--json`.
package struct RunResult: Codable, Sendable {
    package struct States: Codable, Sendable {
        /// The number of crash states judged, counted once for each oracle position.
        package var decided = 0
        /// Distinct states that were recovered.
        package var checked = 0
        /// How states were decided by what recoveries read; nil if none were.
        package var deciding: Deciding?
        /// Whether every legal state was checked.
        package var exhaustive = false
        /// Checked states a second, without the time for recording.
        package var ratePerSecond = 0.0
        /// Decided states a second.
        package var decidedPerSecond = 0.0

        package init(decided: Int = 0, checked: Int = 0) {
            self.decided = decided
            self.checked = checked
        }
    }

    /// States that were decided without being recovered.
    package struct Deciding: Codable, Sendable, Equatable {
        /// The number of states of the levels that were decided: exact where they can be counted, otherwise a lower bound.
        package var states: StateCount
        /// The families of states that agree on what a recovery read.
        package var families: Int
        /// The decided states that were recovered all the same, to see that they show the same.
        package var sampled: Int
        /// Why states were not decided after all.
        package var obstacle: DecidingObstacle?
        /// Whether there are more failing states than were counted.
        package var hasMoreFailing: Bool

        package init?(_ coverage: Coverage) {
            guard coverage.families > 0 || coverage.decidingObstacle != nil else { return nil }
            (states, families, sampled) = (coverage.decidedStates, coverage.families, coverage.sampledStates)
            (obstacle, hasMoreFailing) = (coverage.decidingObstacle, coverage.hasMoreFailing)
        }
    }

    /// The number of explored epochs of the recorded run, exhaustively or by bounded search.
    package struct Explored: Codable, Sendable, Hashable {
        /// The number done, in `unit`.
        package var epochs: Int
        package var of: Int
        /// The number explored exhaustively.
        package var exhaustive: Int
        /// The number of epochs of which every state was decided in which writes are torn in the usual ways; nil if no states
        /// were decided by what recoveries read.
        package var torn: Int?
        /// The unit of the counts; nil for epochs.
        package var unit: Unit?

        /// The parts of a run without epochs. A budget can end the run between two parts.
        package enum Unit: String, Codable, Sendable {
            /// The derived crashes of the recorded life, and each live cut with the derived crashes around it.
            case parts
            /// Fault families, or the requested rules.
            case trials
        }

        package init(epochs: Int, of: Int, exhaustive: Int, torn: Int? = nil, unit: Unit? = nil) {
            self.torn = torn
            self.epochs = epochs
            self.of = of
            self.exhaustive = exhaustive
            self.unit = unit
        }

        /// Counts parts that are either complete or not done.
        package init(_ done: Int, of: Int, _ unit: Unit) {
            self.init(epochs: done, of: of, exhaustive: done, unit: unit)
        }

        /// No epoch of none.
        package static let none = Explored(epochs: 0, of: 0, exhaustive: 0)

        package var isPartial: Bool { epochs < of }

        package static func + (one: Explored, other: Explored) -> Explored {
            Explored(
                epochs: one.epochs + other.epochs, of: one.of + other.of,
                exhaustive: one.exhaustive + other.exhaustive,
                torn: one.torn.flatMap { torn in other.torn.map { torn + $0 } }, unit: one.unit ?? other.unit)
        }
    }

    /// One of the profiles under which a run was explored.
    package struct UnderProfile: Codable, Sendable, Equatable {
        package var profile: Profile
        package var verdict: Verdict
        /// The number of failing states, counted once for each oracle position.
        package var failingStates: Int
        /// States that were judged.
        package var decided: Int
        package var explored: Explored
        package var coverage: String
        /// Why no states were derived under this profile; nil if some were.
        package var notDerived: String?

        package init(
            profile: Profile, verdict: Verdict, failingStates: Int, decided: Int, explored: Explored,
            coverage: String, notDerived: String? = nil
        ) {
            self.profile = profile
            self.verdict = verdict
            self.failingStates = failingStates
            self.decided = decided
            self.explored = explored
            self.coverage = coverage
            self.notDerived = notDerived
        }
    }

    /// The crash states of `kill` at the boundaries of operations.
    package struct Boundaries: Codable, Sendable, Equatable {
        /// Operations of the recorded run.
        package var operations: Int
        /// Distinct states that were recovered.
        package var states: Int
        package var explored: Explored?
        /// Why nothing was checked.
        package var obstacle: String?

        package init(operations: Int, states: Int, explored: Explored? = nil, obstacle: String? = nil) {
            self.operations = operations
            self.states = states
            self.explored = explored
            self.obstacle = obstacle
        }
    }

    package struct Controls: Codable, Sendable {
        /// Mutations of a real observation, and how many of them the validator detected.
        package var mutations = 0
        package var detected = 0
        /// Checks for which this run's history allows no mutation, with the reason.
        package var notFormed: [String] = []
        /// The number of crash states that lost at least one atom.
        package var statesWithLosses = 0
        /// The number of live cuts that hit a running workload.
        package var cutsLanded = 0
        /// Trials in which a fault was injected.
        package var faultsFired = 0

        private enum CodingKeys: String, CodingKey {
            case mutations
            case detected = "flagged"
            case notFormed, statesWithLosses, cutsLanded, faultsFired
        }

        package init(
            mutations: Int = 0, detected: Int = 0, notFormed: [String] = [], statesWithLosses: Int = 0,
            cutsLanded: Int = 0, faultsFired: Int = 0
        ) {
            self.mutations = mutations
            self.detected = detected
            self.notFormed = notFormed
            self.statesWithLosses = statesWithLosses
            self.cutsLanded = cutsLanded
            self.faultsFired = faultsFired
        }
    }

    /// One kill or power cut.
    package struct Cut: Codable, Sendable, Equatable {
        /// From 1.
        package var cycle: Int
        /// Acknowledgements of that life of the store.
        package var acknowledged: Int
        /// The acknowledgement at which it was requested. A larger `acknowledged` means that the workload did not wait
        /// (`FAULTLINE_ACKS`).
        package var asked: Int?
        /// Operations begun but not answered. 0 means that the store was between operations, for example in a
        /// compaction.
        package var inFlight: Int
        /// Whether it hit a running workload: started, alive and not done.
        package var landed: Bool
        /// The new file that the kill waited for, if the kill found it there.
        package var file: String?

        package init(
            cycle: Int, acknowledged: Int, asked: Int? = nil, inFlight: Int, landed: Bool, file: String? = nil
        ) {
            self.cycle = cycle
            self.acknowledged = acknowledged
            self.asked = asked
            self.inFlight = inFlight
            self.landed = landed
            self.file = file
        }
    }

    /// The virtual machine in which a run was.
    package struct GuestFacts: Codable, Hashable, Sendable {
        /// The release of its kernel.
        package var kernel: String
        /// `kvm` or `tcg`.
        package var accelerator: String
        /// How long it took to start, in seconds; nil if it did not.
        package var bootSeconds: Double?
        /// How long it ran, in seconds.
        package var seconds: Double

        package init(kernel: String, accelerator: String, bootSeconds: Double?, seconds: Double) {
            (self.kernel, self.accelerator, self.bootSeconds) = (kernel, accelerator, bootSeconds)
            self.seconds = seconds
        }
    }

    package var target: String
    package var configuration: [String: String]
    package var scenario: ScenarioName
    package var profile: ProfileChoice
    package var contract: String
    package var seed: UInt64
    package var verdict: Verdict
    /// Why the verdict is not a pass: the first finding's story, the cause of an inconclusive result, or the error.
    package var reason: String?
    /// Warnings that do not affect the verdict; nil if there are none.
    package var warnings: [String]?
    /// The patterns of files that no crash state varied; nil if the target has none, or nothing was recorded.
    package var ignored: [IgnoredPattern]?
    /// Acknowledged operations.
    package var acknowledged = 0
    package var states = States()
    /// A description of the coverage of the possible crash states.
    package var coverage: String?
    /// The time of each step of an exploration with the target's commands on files; nil otherwise.
    package var steps: Steps?
    /// The coverage as numbers; nil for a scenario that counts neither epochs nor parts.
    package var explored: Explored?
    /// `kill`: the operation boundaries checked besides the live kills.
    package var boundaries: Boundaries?
    /// The result by profile, strongest first, if there was more than one.
    package var profiles: [UnderProfile]?
    /// Weaker profiles that this run did not cover.
    package var profilesNotTried: [Profile]?
    /// The block device part of a run on a real filesystem; nil for a run on files.
    package var block: Block?
    /// Which barriers of the run are needed; nil unless that was asked for.
    package var barriers: Barriers?
    /// `flakey`: the result of each device that failed, in order; nil for a run of another scenario.
    package var flakey: [FlakeyTrial]?
    /// The virtual machine in which the run was; nil for a run on this machine itself.
    package var guest: GuestFacts?
    /// What a soak measured; nil for a run of another scenario.
    package var soak: SoakResult?
    /// The command that continues a stopped exploration.
    package var resume: String?
    /// The epochs with too many states to check all.
    package var bounded: [Coverage.Bound]?
    package var findings: [Finding] = []
    /// The result for each known finding; nil if none was known.
    package var known: [KnownOutcome]?
    /// By check, the number of failing states without a known cause, because there were too many or the time was up;
    /// nil if there are none.
    package var notMinimised: [Check: Int]?
    /// The first unstable states: two recoveries gave different results; nil if there are none.
    package var unstable: [UnstableState]?
    /// The result of each fault, if the run injected any.
    package var faults: [FaultReport]?
    package var controls = Controls()
    /// Each live kill or cut, in order.
    package var cuts: [Cut] = []
    /// The result of each aimed cut, for a run with power cuts.
    package var aims: [CutReport]?
    /// Checks of the contract for which the scenario gathers no evidence.
    package var notTried: [Check] = []
    package var seconds = 0.0
    /// The run directory.
    package var directory: String?
    /// The command that repeats the run.
    package var command: String

    package init(
        target: String, configuration: [String: String], scenario: ScenarioName, profile: ProfileChoice,
        contract: String, seed: UInt64, verdict: Verdict, command: String
    ) {
        self.target = target
        self.configuration = configuration
        self.scenario = scenario
        self.profile = profile
        self.contract = contract
        self.seed = seed
        self.verdict = verdict
        self.command = command
    }

    /// Adds a problem outside of the run itself. Findings remain, but a pass becomes a harness error.
    package mutating func add(problem: String) {
        if verdict == .pass { verdict = .harnessError }
        reason = [reason ?? "", problem].filter { !$0.isEmpty }.joined(separator: "; then: ")
    }
}

extension RunResult {
    /// The path up to and including its last slash.
    package static func folder(of path: String) -> String {
        String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

extension RunResult.Explored: CustomStringConvertible {
    /// `150/605`, or `3/7 parts`
    package var description: String { "\(epochs)/\(of)" + (unit.map { " \($0.rawValue)" } ?? "") }

    package init(_ coverage: Coverage) {
        self.init(
            epochs: coverage.exploredEpochs, of: coverage.epochs, exhaustive: coverage.exhaustedEpochs,
            torn: coverage.families > 0 ? coverage.epochs(reaching: .torn) : nil)
    }
}

extension Coverage {
    /// The epochs of a profile that an earlier run explored.
    package init(_ explored: RunResult.Explored, limits: ExplorationLimits) {
        self.init(limits: limits)
        (epochs, exhaustedEpochs, hasCheckedExtremes) = (explored.of, explored.epochs, true)
    }
}

extension RunResult.UnderProfile {
    /// The result for a profile under which no states can be derived from the recorded run.
    package init(_ profile: Profile, notDerived reason: String) {
        self.init(
            profile: profile, verdict: .inconclusive, failingStates: 0, decided: 0, explored: .none, coverage: reason,
            notDerived: reason)
    }
}
