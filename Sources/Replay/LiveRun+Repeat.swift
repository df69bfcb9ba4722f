import Bytes
import Exploration
import Model
import Oracle
import Runs
import Scenarios
import Targets

extension LiveRun {
    /// The time limit of a repeated run: the author of the case chose its length.
    package static let timeLimit = Duration.seconds(600)

    /// The reason why the run cannot be repeated; nil if it can.
    private func problem(in rules: [Rule]) -> String? {
        if let valueBytes, !WorkloadShape.valueRange.contains(valueBytes) {
            return "\"valueBytes\" is \(valueBytes); \(words(WorkloadShape.valueRange)) are allowed"
        }
        if !WorkloadShape.threadRange.contains(threadCount) {
            return "\"threadCount\" is \(threadCount); \(words(WorkloadShape.threadRange)) are allowed"
        }
        if !WorkloadShape.operationRange.contains(Int(clamping: operationCount)) {
            return "\"operationCount\" is \(operationCount); \(words(WorkloadShape.operationRange)) are allowed"
        }
        if rules.isEmpty { return "\"rules\" is empty" }
        return rules.first(where: \.cutsPower).map { "the rule '\($0)' cuts the power" }
    }

    private func words(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

    /// Repeats the run in the scratch space of `context`. Returns its judgement and the story of a finding, of `check`
    /// if there is one.
    func repeatRun(
        _ target: ConfiguredTarget, _ profile: Profile, _ contract: Contract, seed: UInt64, lookingFor check: Check?,
        _ context: RunContext, timeLimit: Duration = LiveRun.timeLimit
    ) throws -> (Judgement, CrashStory?) {
        let rules = try rules.map { (text) throws(RuleError) in try Rule(parsing: text) }
        let scenario = IOErrorScenario(.rules(rules))
        var request = RunRequest(
            target: target, scenario: scenario, profile: profile, contract: contract, seed: seed,
            operationCount: operationCount)
        (request.shape.valueBytes, request.shape.threadCount) = (valueBytes, threadCount)
        if let problem = problem(in: rules) {
            throw RunError.harness("the run that case.json describes (\"live\") cannot be done: \(problem)")
        }
        let end = ContinuousClock.now + timeLimit
        var run = IOErrorRun(
            scenario, request, context.stopping(when: { ContinuousClock.now >= end }), program: "faultline")
        do { try run.run() } catch RunError.interrupted where !context.shouldStop() {
            throw RunError.inconclusive(
                "the run that case.json describes took more than \(timeLimit.components.seconds / 60) minutes, and was stopped"
            )
        }
        // Findings in stored states have their own cases: prefer those of the live store.
        let live = run.tally.findings.filter { $0.account?.look == .live }
        let told = live.first { $0.check == check } ?? live.first ?? run.tally.findings.first
        let violations = run.tally.findings.map { Violation(check: $0.check, detail: $0.story) }
        let judgement = Judgement(ScenarioRunner.verdict(of: run.tally, request).0, violations)
        return (judgement, told?.account)
    }
}
