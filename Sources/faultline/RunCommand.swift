import ArgumentParser
import Bytes
import Machine
import Oracle
import Report
import Runs
import Scenarios
import Targets

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one target under one scenario and says whether it kept its promises.",
        discussion: """
              faultline run sqlite --set journal_mode=delete --set synchronous=full --scenario power-cut
              faultline run engine --scenario power-cut --profile posix-min
              faultline run engine --scenario power-cut --cut-at recovery --cut-at 'unlink nth=2 -> crash'

            The verdict is pass, violation, inconclusive (nothing was shown) or harness error. Each violation comes with \
            a case: a directory with the smallest crash that shows it and the command that shows it again. \
            `faultline targets` lists the targets and what can be set.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(help: "The way to fail the store; `faultline scenarios` lists them with their options.")
    var scenario: ScenarioName

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @OptionGroup(title: "Options of scenarios") var scenarioOptions: ScenarioArguments<AnyScenario>

    @OptionGroup var options: RunOptions

    func run() throws {
        guard let type = ScenarioList.named(scenario) else {
            throw ValidationError("no scenario is called \(scenario)")
        }
        let scenario = try scenarioOptions.scenario(type)
        try RunCommand.runAndReport(try options.request(target, settings, scenario, contract), options)
    }

    /// Runs, prints, and throws the exit status.
    static func runAndReport(_ request: RunRequest, _ options: RunOptions) throws -> Never {
        let manifest = request.target.target.manifest?.path
        let reports = try options.reports.open(reading: [manifest].compactMap(\.self))
        let progress = Progress(options.progress.progress)
        // After an interruption, too, what was found until then is printed, and how to go on, before the process ends.
        let report = try Interruption.shared.awaiting {
            let result = options.session.run(request) { text in progress.show(text) }
            progress.clear()
            let report = RunReport(result)
            try reports.write(report, keptIn: result.directory.map { [ByteString($0)] } ?? [])
            return report
        }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(report.verdict)
    }

    /// Throws if this machine lacks something that a run needs.
    static func refuse(_ scenario: ScenarioName, needing needs: [MachineNeed]) throws {
        // Skip the trial mount, which takes time.
        guard !needs.isEmpty else { return }
        let obstacle = Interruption.shared.awaiting { Doctor(driver: DoctorCommand.driver()).obstacle(to: needs) }
        if let obstacle { throw ValidationError("\(scenario) cannot run here: \(obstacle)") }
    }
}

extension ExitStatus {
    init(_ verdict: Verdict) {
        self =
            switch verdict {
            case .pass: .pass
            case .violation: .violation
            case .inconclusive, .filesystem: .inconclusive
            case .harnessError: .error
            }
    }
}
