import Exploration
import Oracle
import Targets

/// The counts and findings of a running scenario.
package struct RunTally {
    package var acknowledged = 0
    /// The counts of checked states.
    package var counts = ExplorationCounts()
    /// The number of live cuts that hit a running workload.
    package var cutsLanded: Int { cuts.count(where: \.landed) }
    /// The result of each fault, and the number of faults that fired.
    package var faults: [FaultReport] = []
    package var faultsFired = 0
    /// The contract applied, if weaker than the target's own; nil otherwise.
    package var appliedContract: Contract?
    /// The coverage of the possible crash states; nil for a scenario that does not measure it.
    package var coverage: Coverage?
    /// `kill`: the boundaries of operations.
    package var boundaries: RunResult.Boundaries?
    /// The number of parts done, for a run with a budget and without epochs; nil otherwise.
    package var parts: RunResult.Explored?
    /// The result by profile, if there is more than one.
    package var profiles: [RunResult.UnderProfile] = []
    /// The additional arguments of the command that continues the run; nil if the run is complete.
    package var continuation: [String]?
    /// The time spent exploring, in seconds; nil if that is the whole run.
    package var exploringSeconds: Double?
    /// The time of each step of exploring with a target's commands; nil otherwise.
    package var steps: RunResult.Steps?
    /// The block device part of a run on a real filesystem.
    package var block: RunResult.Block?
    /// Which barriers of the run are needed.
    package var barriers: RunResult.Barriers?
    /// `flakey`: the result of each device that failed, in order.
    package var flakey: [FlakeyTrial] = []
    /// What a soak measured.
    package var soak: SoakResult?
    package var findings: [Finding] = []
    /// The first unstable states: two recoveries gave different results.
    package var unstable: [UnstableState] = []
    /// By check, the number of failing states without a known cause, because there were too many or the time was up.
    package var notMinimised: [Check: Int] = [:]
    /// The number of failing states that were not minimised and fail like a known finding.
    package var attributed: [KnownFinding: Int] = [:]
    /// The number of violations that appeared in a persistent recover process but not in a fresh one.
    package var unconfirmed = 0
    /// Why a check of the contract could not be judged.
    package var unjudged: Set<String> = []
    /// Checks for which some judgement lacked evidence, and checks for which another had it.
    package var notTried: Set<Check> = []
    package var tried: Set<Check> = []
    /// Each live kill or cut, in order.
    package var cuts: [RunResult.Cut] = []
    /// The result of each aimed cut, in order.
    package var aims: [CutReport] = []
    package var mutations = 0
    package var detected = 0
    /// The checks for which a mutation was detected.
    package var detectedChecks: Set<Check> = []
    package var notFormed: Set<String> = []
    /// Mutations that the validator did not detect: the harness is at fault.
    package var undetected: Set<String> = []

    package init() {}

    /// Adds the counts of a checker.
    package mutating func count(_ checker: StateChecker) {
        counts += checker.counts
    }

    package mutating func add(_ finding: Finding) { findings.append(finding) }

    /// Adds a group of causes as one finding, made by `write` from the group's representative. If a finding of the same
    /// cause exists, adds only the states to it.
    package mutating func add(_ group: CauseGroup, write: (FoundCause) throws -> Finding) rethrows {
        let known = findings.firstIndex { $0.cause?.isGrouped(with: group.shown.cause) == true }
        if let known { return findings[known].add(group) }
        var finding = try write(group.shown)
        (finding.states, finding.cause) = (0, group.shown.cause)
        finding.add(group)
        findings.append(finding)
    }

    /// Adds the counters of a collector that do not belong to a cause.
    ///
    /// - Parameter known: the known findings, to which states without a cause are attributed.
    package mutating func take(_ collector: FindingCollector, known: [KnownFinding]) {
        unconfirmed += collector.unconfirmedCount
        count(collector.unexplained, known: known)
    }

    /// Counts failing states without a cause with the first known finding that they fail like, if there is one.
    package mutating func count(_ unexplained: [UnexplainedFailure: Int], known: [KnownFinding]) {
        for (failure, states) in unexplained {
            if let known = known.first(where: { $0.matches(failure) }) {
                attributed[known, default: 0] += states
            } else {
                notMinimised[failure.symptom.check, default: 0] += states
            }
        }
    }

    /// Adds an unstable state with its case, up to `Contradiction.keptAtMost`.
    package mutating func add(_ contradiction: Contradiction, write: (Contradiction) throws -> UnstableState) rethrows {
        if unstable.count < Contradiction.keptAtMost { unstable.append(try write(contradiction)) }
    }

    /// Adds a finding with one state; if a finding with the same cause exists, adds the state to it.
    package mutating func add(_ cause: Cause, error: String?, write: () throws -> Finding) rethrows {
        let known = findings.firstIndex { $0.cause?.isGrouped(with: cause) == true }
        if let known { return findings[known].add(cause, error, states: 1) }
        var finding = try write()
        (finding.states, finding.cause) = (0, cause)
        finding.add(cause, error, states: 1)
        findings.append(finding)
    }

    /// The findings with most states first; ties keep their order.
    package var findingsByWeight: [Finding] {
        findings.enumerated().sorted { ($1.element.states, $0.offset) < ($0.element.states, $1.offset) }.map(\.element)
    }
}
