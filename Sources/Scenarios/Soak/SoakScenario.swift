import Bytes
import Machine
import Model
import Runs

extension ScenarioName {
    package static let soak = ScenarioName(rawValue: "soak")
}

/// Works on one store for a long time, with kills, power cuts and I/O errors in turn.
package struct SoakScenario: Scenario {
    package static let name = ScenarioName.soak
    package static let summary =
        "one store for a long time, with kills, power cuts and I/O errors in turn: leaks, growth, violations"
    package static let failureMode = FailureMode.powerCut
    package static let subcommand: String? = "soak"
    package static let needs: [MachineNeed] = [.fuse]
    package static let losesByProfile = true

    /// How long it takes, in seconds. The cycle that has begun then is finished.
    package var durationSeconds = 600
    /// The operations of one life of the store, which takes at most `longestLifeSeconds`.
    package var lifeOperationCount = 4000

    package static let longestLifeSeconds = 15

    package init() {}

    package static let options: [ScenarioOption<SoakScenario>] = [
        ScenarioOption(
            "duration", .text, "time", default: "10m", "how long, such as 10m or 8h; a cycle that has begun is finished"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.durationSeconds = try OptionText.seconds(texts, of: "duration")
        } texts: { scenario in
            ["\(scenario.durationSeconds)s"]
        }.alwaysPrinted,
        .integer(
            "life", \.lifeOperationCount, in: 500...100_000, default: "4000",
            "how many operations the store does, at most for 15 s, before it is closed, killed or cut off, or meets a fault"
        ).kept(as: "lifeOperations"),
    ]

    package func optionProblem(in request: RunRequest, from place: OptionPlace?, program: String) -> OptionProblem? {
        guard place != nil, request.operationCount != Self.operationCountOfOthers else { return nil }
        return OptionProblem(
            "life",
            "a soak has no number of operations: \(option: "duration") is its length, and \(option: "life") how many "
                + "one life of the store does")
    }

    /// What `--ops` is if nobody gives it.
    private static let operationCountOfOthers: UInt64 = 100

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        SoakRun(self, request, context, program: program)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        guard let soak = tally.soak else { return .growthNotJudged(lives: 0) }
        if soak.count(of: .kill).landed == 0 { return .noKillLanded }
        if soak.count(of: .powerCut).landed == 0 { return .noCutLanded }
        if soak.count(of: .ioError).landed == 0 { return .noFaultFired }
        return soak.livesJudged < GrowthJudge.fewestLives ? .growthNotJudged(lives: soak.livesJudged) : nil
    }
}
