import ArgumentParser
import Bytes
import Oracle
import Report
import Scenarios
import Targets

struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Records one run and checks every disk state that a crash could have left of it.",
        discussion: """
              faultline explore sqlite --set journal_mode=wal
              faultline explore ./my-store.yaml --profile xfs --budget 60s
              faultline explore ./my-store.yaml --profile all

            What was not looked at is always said: `exhaustive 812/815 epochs; 3 bounded (…)`. A run whose budget ended \
            before every epoch was explored is inconclusive: --resume continues it, --partial accepts it. \
            docs/exploring.md: how to read the output and how far to trust it.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @OptionGroup var scenarioOptions: ScenarioArguments<OnlyExplore>

    @OptionGroup var options: RunOptions

    func run() throws {
        let scenario = try scenarioOptions.scenario(ExploreScenario.self)
        try RunCommand.runAndReport(try options.request(target, settings, scenario, contract), options)
    }
}
