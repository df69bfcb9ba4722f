import ArgumentParser
import Bytes
import Oracle
import Report
import Runs
import Scenarios
import Targets

struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Works on one store for a long time, with kills, power cuts and I/O errors in turn.",
        discussion: """
              faultline soak engine --duration 8h
              faultline soak sqlite --set journal_mode=wal --duration 60m --report html=soak.html
              faultline soak ./my-store.yaml --life 20000

            The same store goes on from cycle to cycle, and is validated after each. Memory, descriptors and threads of \
            its process, the size of its files, the time of its recovery and of its calls are measured: a line a minute \
            on standard error, a JSON line a minute in soak.jsonl of the run directory, plots in an HTML report. A leak, \
            growth without bound and a violation end the soak with exit 1; Ctrl-C ends it with what was measured so far. \
            docs/soak.md says how growth is told from noise, and what a workload has to do to be timed.
            """)

    @Argument(help: "The target: a name that `faultline targets` lists, or the path of a manifest (docs/targets.md).")
    var target: String

    @Option(name: .customLong("set"), help: "A parameter of the target, as name=value.")
    var settings: [Setting] = []

    @Option(help: "What the store is held to; by default what its documentation promises.")
    var contract: Contract?

    @OptionGroup var scenarioOptions: ScenarioArguments<OnlySoak>

    @OptionGroup var options: RunOptions

    func run() throws {
        let scenario = try scenarioOptions.scenario(SoakScenario.self)
        try RunCommand.runAndReport(try options.request(target, settings, scenario, contract), options)
    }
}
