import ArgumentParser
import Benchmarks
import Report
import Scenarios

struct BenchValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "How fast an oracle is read and judged, and how much memory that takes.",
        discussion: """
            An oracle of so many lines (about 110 bytes each) is written below TMPDIR and removed. Then oracles that are \
            hard to judge (many lives, many operations in flight on one key, many batches that overlap), each beside \
            one of half the size: twice as much must cost about twice as long.
            """)

    @Option(help: "How many lines.")
    var lines = 4_000_000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1000...1_000_000_000).contains(lines) else {
            throw ValidationError("--lines must be from 1000 to 1000000000")
        }
    }

    func run() throws {
        let report = BenchReport(rows: try ValidationBenchmark.rows(lines: lines))
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
