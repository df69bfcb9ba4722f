import ArgumentParser
import Benchmarks
import Machine
import Report
import Scenarios
import Targets

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures Faultline, each row beside its yardstick in the same run.",
        subcommands: [
            BenchBlockCommand.self, BenchCycleCommand.self, BenchEngineCommand.self, BenchExploreCommand.self,
            BenchGuestCommand.self,
            BenchModelCommand.self,
            BenchMountCommand.self, BenchValidateCommand.self, BenchWorkloadCommand.self,
        ])
}

struct BenchCycleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cycle",
        abstract: "What a power-cut cycle of a small store costs beyond the target's own work.",
        discussion: """
            A cycle is: mount, 100 operations, cut, recover, validate. The target's own work is the same workload and \
            the same recovery on a plain directory, measured in turn with it.
            """)

    @Option(help: "How many cycles of each kind.")
    var rounds = 9

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
    }

    func run() throws {
        let targets = try TargetCatalog.besideThisProgram()
        let names = [("engine", []), ("sqlite", [Setting(name: "journal_mode", value: "wal")])]
        var rows: [BenchmarkRow] = []
        for (name, settings) in names {
            let target = try targets.target(name).configured(settings)
            rows.append(
                try Interruption.shared.awaiting {
                    try CycleBenchmark(target: target, rounds: rounds, wording: English()).row()
                })
        }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
