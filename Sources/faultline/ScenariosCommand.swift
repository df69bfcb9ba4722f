import ArgumentParser
import Report
import Runs
import Scenarios

struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract: "Lists the ways to fail a store, or the options of one.",
        discussion: """
              faultline scenarios                every scenario, and the names of its options
              faultline scenarios power-cut      its options, explained

            The same options are flags of `faultline run` and, with _ for -, keys of a matrix. docs/scenarios.md has all of \
            them; --page writes it.
            """)

    @Argument(help: "A scenario.")
    var name: ScenarioName?

    @Flag(help: "Print the page docs/scenarios.md.")
    var page = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard !page || name == nil && !json else { throw ValidationError("--page prints all of them, as Markdown") }
    }

    func run() throws {
        let reports = ScenarioList.all.filter { name == nil || $0.name == name }.map { ScenarioReport($0) }
        if page {
            StandardOutput.write(ScenarioReport.page)
        } else if json {
            try StandardOutput.show(["scenarios": reports], .object)
        } else if name == nil {
            StandardOutput.write(ScenarioReport.list(for: .output))
        } else {
            for report in reports { StandardOutput.write(report.text(for: .output)) }
        }
    }
}
