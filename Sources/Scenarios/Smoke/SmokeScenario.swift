import Runs

extension ScenarioName {
    package static let smoke = ScenarioName(rawValue: "smoke")
}

/// No fault: workload, reopen, validate. If this fails the harness is wrong.
package struct SmokeScenario: Scenario {
    package static let name = ScenarioName.smoke
    package static let summary = "no fault: workload, reopen, validate"
    package static let options: [ScenarioOption<SmokeScenario>] = [.obsoleteCycles]
    package static let failureMode = FailureMode.none

    package init() {}

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        SmokeRun(request, context)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? { nil }
}
