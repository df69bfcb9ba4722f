import ArgumentParser
import Benchmarks
import Machine
import Report
import Runs
import Scenarios
import Targets

struct BenchGuestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guest",
        abstract: "What a case of flakey costs in the guest: the first, further ones, and several guests at once.")

    @Option(help: "How many further cases.")
    var rounds = 5

    @OptionGroup var guest: GuestOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
    }

    func run() throws {
        try RunCommand.refuse(FlakeyScenario.name, needing: [.virtualMachine])
        let targets = try TargetCatalog.besideThisProgram()
        let rows = try Interruption.shared.awaiting {
            try GuestBenchmark(
                targets: targets, configuration: guest.configuration, rounds: rounds, wording: English()
            ).rows()
        }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
