import ArgumentParser
import Benchmarks
import Report
import Runs
import Scenarios
import Targets

struct BenchExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "How many crash states a second are decided and checked, and the memory that this takes.",
        discussion: """
            Checked states are distinct ones that were recovered and judged; decided ones are states at oracle positions. \
            Through commands the run is recorded on a FUSE mount. One row has the peak memory of a longer run beside that \
            of a shorter one.
            """)

    @Option(help: "How long each row explores, as 5s or 1m.")
    var duration = TimeSpan(milliseconds: 5000)

    @Option(help: "How many distinct states are derived, hashed and kept.")
    var states = 10_000_000

    @Flag(
        help: """
            Compare instead exploring with and without --decide: the engine and three modes of SQLite, 100 operations, two \
            profiles, at most a minute each.
            """)
    var deciding = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard duration.seconds <= 600 else { throw ValidationError("--duration must be at most 10m") }
        guard (1000...1_000_000_000).contains(states) else {
            throw ValidationError("--states must be from 1000 to 1000000000")
        }
    }

    func run() throws {
        let targets = try TargetCatalog.besideThisProgram()
        let benchmark = ExploreBenchmark(
            targets: targets, seconds: duration.seconds, states: states, wording: English())
        let rows = try deciding ? DecidingBenchmark(benchmark, seconds: 60).rows() : benchmark.rows()
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
