import ArgumentParser
import Benchmarks
import Report
import Scenarios

struct BenchModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "What the crash model costs: taking an event, and hashing neighbouring crash states.",
        discussion: """
            The events are streamed: memory stays in proportion to what is pending, however many they are. Besides, a \
            trace file of so many events (about 60 bytes each) is written below TMPDIR, streamed back and removed.
            """)

    @Option(help: "How many events to take.")
    var events = 10_000_000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1000...1_000_000_000).contains(events) else {
            throw ValidationError("--events must be from 1000 to 1000000000")
        }
    }

    func run() throws {
        let report = BenchReport(rows: try ModelBenchmarkRows.rows(events: events))
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
