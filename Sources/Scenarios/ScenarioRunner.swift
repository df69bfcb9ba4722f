import Bytes
import Exploration
import FaultFS
import Glibc
import Machine
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Runs a request and returns its result. An error of the harness is a verdict too, so it never throws.
package struct ScenarioRunner: Sendable {
    /// The name of this program in commands.
    package var program: String
    /// The wording of findings.
    package var wording: any Wording

    package init(program: String, wording: any Wording) { (self.program, self.wording) = (program, wording) }

    package func run(_ request: RunRequest, _ context: RunContext) -> RunResult {
        var result = empty(request)
        result.directory = context.directory.shown
        let began = MonotonicTime.seconds()
        let (tally, error) = tally(of: request, context)
        fill(&result, tally, request)
        let warnings = request.target.warnings.takeAll()
        result.warnings = warnings.isEmpty ? nil : warnings
        result.ignored = IgnoredPattern.all(of: request.target)
        if let error {
            let (verdict, reason) = ScenarioRunner.verdict(of: error, context)
            // Findings are kept if the run ends with an error. A resumed run inherits findings: if it cannot continue,
            // the verdict is a harness error and not the earlier finding.
            let decides =
                tally.findings.allSatisfy { request.reasonToAccept($0) != nil }
                || request.scenario.continuesRun && verdict == .harnessError
            if decides { result.verdict = verdict }
            result.reason = decides ? reason : "\(result.reason ?? ""); then: \(reason)"
        }
        // Results derived from unreadable data are invalid.
        if case .lost(let reason)? = context.memory.problem {
            (result.verdict, result.reason) = (.harnessError, reason)
        }
        result.seconds = MonotonicTime.seconds() - began
        let seconds = max(tally.exploringSeconds ?? result.seconds, 1e-9)
        result.states.ratePerSecond = (Double(result.states.checked) / seconds).rounded()
        result.states.decidedPerSecond = (Double(result.states.decided) / seconds).rounded()
        return result
    }

    /// Runs the scenario. Returns its counts and findings, and the error if it ended early.
    private func tally(of request: RunRequest, _ context: RunContext) -> (RunTally, (any Error)?) {
        var run = request.scenario.makeRun(request, context, program: program)
        do {
            try run.run()
            return (run.tally, nil)
        } catch {
            return (run.tally, error)
        }
    }

    private func empty(_ request: RunRequest) -> RunResult {
        RunResult(
            target: request.target.target.name, configuration: request.target.configurationByName,
            scenario: request.scenario.name, profile: request.profiles, contract: request.contract.name,
            seed: request.seed, verdict: .harnessError, command: command(request))
    }

    /// The result of a run that could not begin.
    package func failed(_ request: RunRequest, _ reason: String) -> RunResult {
        var result = empty(request)
        result.reason = reason
        return result
    }

    /// The command that repeats this run.
    func command(_ request: RunRequest) -> String {
        ([program] + request.arguments()).map { ReproduceScript.quoted($0) }.joined(separator: " ")
    }

    /// The command that resumes this run.
    private func resumeCommand(_ request: RunRequest, _ words: [String]) -> String {
        ([command(request)] + words.map { ReproduceScript.quoted($0) }).joined(separator: " ")
    }

    private func fill(_ result: inout RunResult, _ tally: RunTally, _ request: RunRequest) {
        result.acknowledged = tally.acknowledged
        result.states = RunResult.States(decided: tally.counts.decided, checked: tally.counts.checked)
        result.states.exhaustive = tally.coverage?.isExhaustive ?? false
        result.states.deciding = tally.coverage.flatMap { RunResult.Deciding($0) }
        result.coverage = tally.coverage.map { wording.words(for: $0) }
        result.explored = tally.coverage.map { RunResult.Explored($0) } ?? tally.parts
        result.steps = tally.steps
        result.resume = tally.continuation.map { resumeCommand(request, $0) }
        result.bounded = tally.coverage.flatMap { $0.searched.isEmpty ? nil : $0.searched }
        result.block = tally.block
        result.boundaries = tally.boundaries
        result.soak = tally.soak
        result.barriers = tally.barriers
        result.flakey = tally.flakey.isEmpty ? nil : tally.flakey
        result.profiles = tally.profiles.isEmpty ? nil : tally.profiles
        if type(of: request.scenario).losesByProfile, case .one(let profile) = request.profiles {
            let weaker = profile.weaker
            result.profilesNotTried = weaker.isEmpty ? nil : weaker
        }
        result.findings = tally.findingsByWeight
        result.mark(request, attributed: tally.attributed)
        result.notMinimised = tally.notMinimised.isEmpty ? nil : tally.notMinimised
        result.unstable = tally.unstable.isEmpty ? nil : tally.unstable
        result.cuts = tally.cuts
        result.aims = tally.aims.isEmpty ? nil : tally.aims
        result.faults = tally.faults.isEmpty ? nil : tally.faults
        result.notTried = tally.notTried.subtracting(tally.tried).sorted()
        result.controls = RunResult.Controls(
            mutations: tally.mutations, detected: tally.detected, notFormed: tally.notFormed.sorted(),
            statesWithLosses: tally.counts.lossy, cutsLanded: tally.cutsLanded, faultsFired: tally.faultsFired)
        let (verdict, reason) = ScenarioRunner.verdict(of: tally, request)
        result.verdict = verdict
        result.reason = reason.map { wording.words(for: $0) }
    }

    /// The order matters: a validator that misses a mutation outranks a finding, and a finding outranks doubt.
    package static func verdict(of tally: RunTally, _ request: RunRequest) -> (Verdict, VerdictReason?) {
        if let mutation = tally.undetected.sorted().first { return (.harnessError, .missedMutation(mutation)) }
        let findings = tally.findingsByWeight.filter { request.reasonToAccept($0) == nil }
        // A broken filesystem is not a violation by the store, and must not hide one.
        if let finding = findings.first(where: { $0.check != .filesystem }) {
            return (.violation, .finding(finding.story))
        }
        if let finding = findings.first { return (.filesystem, .finding(finding.story)) }
        if let growth = tally.soak?.growths.first { return (.violation, .growth(growth)) }
        if let (check, count) = tally.notMinimised.min(by: { $0.key < $1.key }) {
            return (.inconclusive, .notMinimised(count, check))
        }
        if tally.unconfirmed > 0 { return (.inconclusive, .unconfirmed(tally.unconfirmed)) }
        if tally.acknowledged == 0 { return (.inconclusive, .nothingAcknowledged) }
        if let parts = tally.parts, parts.isPartial, !request.allowsPartial { return (.inconclusive, .partial(parts)) }
        let contract = tally.appliedContract ?? request.contract
        let mustBeSeen: [Check] = [contract.checks.contains(.durable) ? .durable : .noHoles, .payloadIntegrity]
        for check in mustBeSeen where contract.checks.contains(check) && !tally.detectedChecks.contains(check) {
            return (.inconclusive, .noMutation(check))
        }
        if let reason = request.scenario.inconclusiveReason(for: tally) {
            return (.inconclusive, .inconclusive(reason))
        }
        if let reason = tally.unjudged.sorted().first { return (.inconclusive, .notJudged(reason)) }
        if let coverage = tally.coverage, !coverage.isComplete, !request.allowsPartial {
            return (.inconclusive, .notExplored(coverage))
        }
        return (.pass, nil)
    }

    private static func verdict(of error: any Error, _ context: RunContext) -> (Verdict, String) {
        switch error {
        case RunError.interrupted: (.inconclusive, context.memory.words ?? "\(error)")
        case RunError.inconclusive, RecordingError.noKillStates: (.inconclusive, "\(error)")
        case RunError.filesystem: (.filesystem, "\(error)")
        default: (.harnessError, "\(error)")
        }
    }
}
