import Bytes
import Exploration
import Model
import Oracle
import Targets

/// What of a case was seen in a live store alone, so that no state can be derived that shows it: how the run is done
/// again. The same seed and the same rules give the same faults.
package struct LiveRun: Codable, Hashable, Sendable {
    /// As rules print.
    package var rules: [String]
    package var operationCount: UInt64
    package var valueBytes: Int?
    package var threadCount: Int

    init(of request: RunRequest, _ rules: [Rule]) {
        self.rules = rules.map(\.description)
        operationCount = request.operationCount
        valueBytes = request.shape.valueBytes
        threadCount = request.shape.threadCount
    }

    /// The run once more, in scratch space of `context`, judged as it was then, and the story of what is wrong: of `check`, if
    /// that is.
    func doAgain(
        _ target: ConfiguredTarget, _ profile: Profile, _ contract: Contract, seed: UInt64, lookingFor check: Check?,
        _ context: RunContext
    ) throws -> (Judgement, CrashStory?) {
        let rules = try rules.map { (text) throws(RuleError) in try Rule(parsing: text) }
        let scenario = IOErrorScenario(.rules(rules))
        var request = RunRequest(
            target: target, scenario: scenario, profile: profile, contract: contract, seed: seed,
            operationCount: operationCount)
        (request.shape.valueBytes, request.shape.threadCount) = (valueBytes, threadCount)
        guard WorkloadShape.valueRange.contains(valueBytes ?? 1), WorkloadShape.threadRange.contains(threadCount),
            (1...1_000_000).contains(operationCount), !rules.isEmpty, !rules.contains(where: \.cutsPower)
        else { throw RunError.harness("the run that the case describes cannot be done: \(self)") }
        var run = IOErrorRun(scenario, request, context, program: "faultline")
        try run.run()
        // What storage held is told by a case of its own.
        let live = run.tally.findings.filter { $0.account?.look == .live }
        let told = live.first { $0.check == check } ?? live.first ?? run.tally.findings.first
        let violations = run.tally.findings.map { Violation(check: $0.check, detail: $0.story) }
        let judgement = Judgement(ScenarioRunner.verdict(of: run.tally, request).0, violations)
        return (judgement, told?.account)
    }
}
