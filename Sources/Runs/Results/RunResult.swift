import Bytes
import Exploration
import Model
import Oracle

/// What one run found, as it is printed by `--json`.
package struct RunResult: Codable, Sendable {
    package struct States: Codable, Sendable {
        /// Crash states that were judged, at every oracle position that they serve.
        package var decided = 0
        /// Distinct states that were recovered.
        package var checked = 0
        /// Every legal state was among them.
        package var exhaustive = false
        /// Checked states a second, of an exploration without the time of recording.
        package var ratePerSecond = 0.0
        /// Decided states a second.
        package var decidedPerSecond = 0.0

        package init(decided: Int = 0, checked: Int = 0) {
            self.decided = decided
            self.checked = checked
        }
    }

    /// How many epochs of the recorded run were explored, exhaustively or by their bounded search.
    package struct Explored: Codable, Sendable, Hashable {
        /// How many were done. (Where `unit` says so they are no epochs.)
        package var epochs: Int
        package var of: Int
        /// So many of them exhaustively.
        package var exhaustive: Int
        /// What is counted; nil for epochs.
        package var unit: Unit?

        /// The parts of a run that explores no epochs, and that a budget can end between two of them.
        package enum Unit: String, Codable, Sendable {
            /// The derived crashes of the recorded life, and each live cut with those around it.
            case parts
            /// Families of faults, or the rules that somebody named.
            case trials
        }

        package init(epochs: Int, of: Int, exhaustive: Int, unit: Unit? = nil) {
            self.epochs = epochs
            self.of = of
            self.exhaustive = exhaustive
            self.unit = unit
        }

        /// So many parts that were done as a whole.
        package init(_ done: Int, of: Int, _ unit: Unit) {
            self.init(epochs: done, of: of, exhaustive: done, unit: unit)
        }

        /// No epoch of none.
        package static let none = Explored(epochs: 0, of: 0, exhaustive: 0)

        package var isPartial: Bool { epochs < of }

        package static func + (one: Explored, other: Explored) -> Explored {
            Explored(
                epochs: one.epochs + other.epochs, of: one.of + other.of,
                exhaustive: one.exhaustive + other.exhaustive, unit: one.unit ?? other.unit)
        }
    }

    /// One of the profiles under which a run was explored.
    package struct UnderProfile: Codable, Sendable, Equatable {
        package var profile: Profile
        package var verdict: Verdict
        /// States at oracle positions that broke a promise: what an equal state shows at one line counts once.
        package var failingStates: Int
        /// States that were judged.
        package var decided: Int
        package var explored: Explored
        package var coverage: String
        /// Why no states were derived under this profile; nil where some were.
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
        /// Wrong observations that were made from a real one, and how many of them the validator flagged.
        package var mutations = 0
        package var flagged = 0
        /// Checks of which this run's history offers no mutation, with the reason.
        package var notFormed: [String] = []
        /// Crash states that had lost at least one atom.
        package var statesWithLosses = 0
        /// Live cuts that landed while the workload was at work.
        package var cutsLanded = 0
        /// Trials in which a fault was injected.
        package var faultsFired = 0

        package init(
            mutations: Int = 0, flagged: Int = 0, notFormed: [String] = [], statesWithLosses: Int = 0,
            cutsLanded: Int = 0, faultsFired: Int = 0
        ) {
            self.mutations = mutations
            self.flagged = flagged
            self.notFormed = notFormed
            self.statesWithLosses = statesWithLosses
            self.cutsLanded = cutsLanded
            self.faultsFired = faultsFired
        }
    }

    /// One time that the process was killed, or the power went, while the workload ran.
    package struct Cut: Codable, Sendable, Equatable {
        /// From 1.
        package var cycle: Int
        /// Acknowledgements of that life of the store.
        package var acknowledged: Int
        /// The acknowledgement at which it was asked for; later is a workload that did not wait (`FAULTLINE_ACKS`).
        package var asked: Int?
        /// Operations that had begun and had no answer. None: the store was between two operations, as in a compaction.
        package var inFlight: Int
        /// It found the workload at work: begun, alive, and not done.
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

    package var target: String
    package var configuration: [String: String]
    package var scenario: ScenarioName
    package var profile: ProfileChoice
    package var contract: String
    package var seed: UInt64
    package var verdict: Verdict
    /// Why, when the verdict is not a pass: the first finding's story, what was inconclusive, or the error.
    package var reason: String?
    /// What is to be looked at, though the verdict does not rest on it; nil where there is nothing.
    package var warnings: [String]?
    /// Acknowledged operations.
    package var acknowledged = 0
    package var states = States()
    /// How much of what a crash could leave was looked at, in words.
    package var coverage: String?
    /// The same as numbers; nil for a scenario that explores no epochs.
    package var explored: Explored?
    /// `kill`: how many boundaries of operations were checked beside the live kills.
    package var boundaries: Boundaries?
    /// Each profile by itself, strongest first, where there was more than one.
    package var profiles: [UnderProfile]?
    /// Weaker profiles that this run says nothing of.
    package var profilesNotTried: [Profile]?
    /// Of a run below a real filesystem: which, and what was done there; nil for a run on files.
    package var block: Block?
    /// The command that continues this exploration where it was stopped.
    package var resume: String?
    /// The epochs that have too many states to look at all.
    package var bounded: [Coverage.Bound]?
    package var findings: [Finding] = []
    /// What became of each finding that was known; nil where none was.
    package var known: [KnownOutcome]?
    /// By check: failing states of which no cause is known, because they were too many or the time was up; nil where there
    /// are none.
    package var notMinimised: [Check: Int]?
    /// The first states that showed different things when they were looked at twice; nil where none did.
    package var unstable: [UnstableState]?
    /// What became of each fault, where faults were injected.
    package var faults: [FaultReport]?
    package var controls = Controls()
    /// Each live kill or cut, in order.
    package var cuts: [Cut] = []
    /// What became of each cut that was aimed, where the power went.
    package var aims: [CutReport]?
    /// Checks of the contract for which the scenario gathers no evidence.
    package var notTried: [Check] = []
    package var seconds = 0.0
    /// The directory that holds everything of the run.
    package var directory: String?
    /// A command that does the run again.
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

    /// Something went wrong beside the run: what was found stands, but a pass is none.
    package mutating func add(problem: String) {
        if verdict == .pass { verdict = .harnessError }
        reason = [reason ?? "", problem].filter { !$0.isEmpty }.joined(separator: "; then: ")
    }
}

extension RunResult {
    /// All of a path up to its last slash.
    package static func folder(of path: String) -> String {
        String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

/// One cause for which the store broke its contract, with the smallest state that shows it.
package struct Finding: Codable, Sendable {
    package var check: Check
    package var strongestProfile: CrashProfile
    /// What was lost, in words.
    package var lost: [String]
    package var story: String
    /// How many states failed for this cause.
    package var states: Int
    /// The case's directory.
    package var `case`: String?
    /// Why there is no case; nil where there is one.
    package var caseProblem: String?
    /// The command that recovers this crash state again, from the recorded trace.
    package var replay: String?
    /// The command that does the run again and looks for the same cause: after a fix of the store.
    package var recheck: String?
    /// What kinds of things were lost, of which files: findings with equal kinds have one cause.
    package var lossKinds: [String] = []
    /// The whole story, with its timeline; nil where nothing was recorded of what the store did.
    package var account: CrashStory?
    /// The time was up before it was made as small as it gets; nil otherwise.
    package var isCutShort: Bool?
    /// Why it is accepted (`known:` in the manifest or the matrix); nil where it is not.
    package var known: String?
    /// Whether it was seen below real filesystems; nil where nobody looked.
    package var confirmed: [Confirmation]?
    /// Why it fails, as facts; nil for what a live store alone showed in another way than by a broken check.
    package var cause: Cause?
    /// What the store said in these states, by kind, most states first; nil where it said nothing.
    package var errors: [ErrorCount]?

    package init(
        check: Check, strongestProfile: CrashProfile, lost: [String], story: String, states: Int,
        lossKinds: [String] = [], account: CrashStory? = nil, isCutShort: Bool? = nil
    ) {
        self.check = check
        self.strongestProfile = strongestProfile
        self.lost = lost
        self.story = story
        self.states = states
        self.lossKinds = lossKinds
        self.account = account
        self.isCutShort = isCutShort
    }

    /// One kind of error, and how many states showed it.
    package struct ErrorCount: Codable, Hashable, Sendable {
        /// Without what differs from look to look.
        package var pattern: TextPattern
        /// As one of the states showed it.
        package var text: String
        package var states: Int
    }
}

extension Finding {
    /// Whether both are reported as one. A finding of an older version has no cause; then the check and the losses decide.
    package func isGrouped(with other: Finding) -> Bool {
        guard let cause, let theirs = other.cause else {
            return cause == nil && other.cause == nil && check == other.check && lossKinds == other.lossKinds
        }
        return cause.isGrouped(with: theirs)
    }

    package mutating func add(_ kin: CauseGroup) {
        for member in kin.members { add(member.cause, member.violation.error, states: member.stateCount) }
    }

    package mutating func add(_ cause: Cause, _ error: String?, states count: Int) {
        states += count
        guard let pattern = cause.error else { return }
        var errors = errors ?? []
        if let known = errors.firstIndex(where: { $0.pattern == pattern }) {
            errors[known].states += count
        } else {
            errors.append(ErrorCount(pattern: pattern, text: error ?? pattern.description, states: count))
        }
        self.errors = errors.enumerated().sorted { ($1.element.states, $0.offset) < ($0.element.states, $1.offset) }
            .map(\.element)
    }
}

extension RunResult.Explored: CustomStringConvertible {
    /// `150/605`, or `3/7 parts`
    package var description: String { "\(epochs)/\(of)" + (unit.map { " \($0.rawValue)" } ?? "") }

    package init(_ coverage: Coverage) {
        self.init(
            epochs: coverage.exploredEpochs, of: coverage.epochs, exhaustive: coverage.exhaustedEpochs)
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
    /// A profile that the recorded run says nothing of.
    package init(_ profile: Profile, notDerived reason: String) {
        self.init(
            profile: profile, verdict: .inconclusive, failingStates: 0, decided: 0, explored: .none, coverage: reason,
            notDerived: reason)
    }
}
