import Exploration
import Oracle

/// What a scenario counts while it runs.
package struct RunTally {
    package var acknowledged = 0
    /// The states that were looked at.
    package var counts = ExplorationCounts()
    /// Live cuts after which the workload was found at work.
    package var cutsLanded: Int { cuts.count(where: \.landed) }
    /// What became of each fault that was tried, and how many of those that were tried fired.
    package var faults: [FaultReport] = []
    package var faultsFired = 0
    /// What the store was held to where that is less than its contract.
    package var heldTo: Contract?
    /// How much of what a crash could leave was looked at; nil where that is not asked.
    package var coverage: Coverage?
    /// `kill`: the boundaries of operations.
    package var boundaries: RunResult.Boundaries?
    /// How many of a run's parts were done, of a run that explores no epochs and has a budget; nil where it has none.
    package var parts: RunResult.Explored?
    /// Each profile by itself, where there is more than one.
    package var profiles: [RunResult.UnderProfile] = []
    /// What the command that continues the run has beside the run's own; nil for a run that came to its end.
    package var continuation: [String]?
    /// What of the run's time went into exploring; nil for the whole of it.
    package var exploringSeconds: Double?
    /// Of a run below a real filesystem: what was done there.
    package var block: RunResult.Block?
    package var findings: [Finding] = []
    /// The first states that showed different things when they were looked at twice.
    package var unstable: [UnstableState] = []
    /// By check: failing states of which no cause is known, because they were too many or the time was up.
    package var notMinimised: [Check: Int] = [:]
    /// Violations that a persistent recover process showed and a fresh one did not.
    package var unconfirmed = 0
    /// Why a check of the contract could not be judged.
    package var unjudged: Set<String> = []
    /// Checks of the contract for which some judgement had no evidence, and those for which another had.
    package var notTried: Set<Check> = []
    package var tried: Set<Check> = []
    /// Each live kill or cut, in order.
    package var cuts: [RunResult.Cut] = []
    /// What became of each cut that was aimed, in order.
    package var aims: [CutReport] = []
    package var mutations = 0
    package var flagged = 0
    /// The checks of which a mutation was flagged.
    package var flaggedChecks: Set<Check> = []
    package var notFormed: Set<String> = []
    /// Mutations that the validator let pass: the harness is wrong.
    package var unflagged: Set<String> = []

    package init() {}

    /// Adds what a checker has looked at.
    package mutating func count(_ checker: StateChecker) {
        counts += checker.counts
    }

    package mutating func add(_ finding: Finding) { findings.append(finding) }

    /// Adds causes that are told as one, with what `write` makes of the one that is shown, or only their states to the
    /// finding that tells them already.
    package mutating func add(_ kin: CauseGroup, write: (FoundCause) throws -> Finding) rethrows {
        let known = findings.firstIndex { $0.cause?.isGrouped(with: kin.shown.cause) == true }
        if let known { return findings[known].add(kin) }
        var finding = try write(kin.shown)
        (finding.states, finding.cause) = (0, kin.shown.cause)
        finding.add(kin)
        findings.append(finding)
    }

    /// Takes over what a collector counted beside its causes.
    package mutating func take(_ collector: FindingCollector) {
        unconfirmed += collector.unconfirmedCount
        notMinimised.merge(collector.unexplained, uniquingKeysWith: +)
    }

    /// Adds a state that showed different things, with its case, unless there are enough of them.
    package mutating func add(_ contradiction: Contradiction, write: (Contradiction) throws -> UnstableState) rethrows {
        if unstable.count < Contradiction.keptAtMost { unstable.append(try write(contradiction)) }
    }

    /// Adds a finding of one state, or only that state to the finding that tells its cause already.
    package mutating func add(_ cause: Cause, saying error: String?, write: () throws -> Finding) rethrows {
        let known = findings.firstIndex { $0.cause?.isGrouped(with: cause) == true }
        if let known { return findings[known].add(cause, error, states: 1) }
        var finding = try write()
        (finding.states, finding.cause) = (0, cause)
        finding.add(cause, error, states: 1)
        findings.append(finding)
    }

    /// Those of most states first; equal ones stay in their order.
    package var findingsByWeight: [Finding] {
        findings.enumerated().sorted { ($1.element.states, $0.offset) < ($0.element.states, $1.offset) }.map(\.element)
    }
}
