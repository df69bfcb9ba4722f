import ArgumentParser
import Exploration
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
              faultline explore ./my-store.yaml --profile xfs --budget 60

            What was not looked at is always said: `exhaustive 812/815 epochs; 3 searched (…)`. docs/exploring.md: how to \
            read the output and how far to trust it.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @Option(help: "Stop after so many seconds of checking, and say what was left out.")
    var budget: Int?

    @Option(help: "An epoch with more states than this is searched and not exhausted.")
    var epochStates = ExplorationLimits().statesPerEpoch

    @Option(help: "Seeded choices for each epoch that is searched.")
    var samples = ExplorationLimits().samplesPerEpoch

    @OptionGroup var options: RunOptions

    func validate() throws {
        guard budget ?? 1 > 0 else { throw ValidationError("--budget must be at least 1 second") }
        guard (1...100_000_000).contains(epochStates) else {
            throw ValidationError("--epoch-states must be from 1 to 100000000")
        }
        guard (0...1_000_000).contains(samples) else { throw ValidationError("--samples must be from 0 to 1000000") }
        guard options.cycles == nil else {
            throw ValidationError("--cycles is for live cuts; explore records one life")
        }
    }

    func run() throws {
        let target = try TargetCatalog.besideThisProgram().target(target).configured(settings)
        try RunCommand.refuse(.explore)
        var request = RunRequest(
            target: target, scenario: .explore, profile: options.profile, contract: contract ?? target.contract,
            seed: options.seed, operationCount: options.operationCount)
        request.exploration.budgetSeconds = budget
        request.exploration.statesPerEpoch = epochStates
        request.exploration.samplesPerEpoch = samples
        try RunCommand.runAndReport(request, options)
    }
}
