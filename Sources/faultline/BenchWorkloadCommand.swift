import ArgumentParser
import Benchmarks
import Bytes
import Report
import Scenarios
import Targets

struct BenchWorkloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workload",
        abstract: "What the workload driver adds to each operation of a store.",
        discussion: """
            `faultline workload` with values of 1 KiB, less the same operations on the same store without an oracle. \
            Measured in memory with the usual --directory: on a disk each line of the oracle costs a sync.
            """)

    @Option(help: "An existing directory on the filesystem to measure.")
    var directory: ByteString = "/dev/shm"

    @Option(help: "How many rounds; the best counts.")
    var rounds = 5

    @Option(help: "How many operations in a round.")
    var ops: UInt64 = 10_000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
        guard (100...10_000_000).contains(ops) else { throw ValidationError("--ops must be from 100 to 10000000") }
    }

    func run() throws {
        let targets = try TargetCatalog.besideThisProgram()
        let rows = try BenchmarkSpace.with(in: try ArgumentPath.existing(directory)) {
            try WorkloadBenchmark(targets: targets, directory: $0, rounds: rounds, operationCount: ops).rows()
        }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
