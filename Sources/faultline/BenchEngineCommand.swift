import ArgumentParser
import Benchmarks
import Bytes
import Foundation
import Machine
import Report
import Scenarios

struct BenchEngineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "What the built-in engine costs, in memory and on a filesystem.",
        discussion: """
            Each row stands beside its yardstick from the same run: a plain C loop, a dictionary, SQLite, and LevelDB \
            and RocksDB where their libraries are installed (libleveldb1d, librocksdb7.8). Rows that sync measure the filesystem of --directory; a \
            temporary directory in it is removed at the end. Absolute aims hold for an idle machine and a release build.
            """)

    @Option(help: "An existing directory on the filesystem to measure.")
    var directory: ByteString = "."

    @Option(help: "How many rounds; the best of those in memory, the median of those that sync.")
    var rounds = 5

    @Option(help: "How many records or keys in a row; rows that sync do a two-hundredth.")
    var count = 100_000

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
        guard (200...10_000_000).contains(count) else { throw ValidationError("--count must be from 200 to 10000000") }
    }

    func run() throws {
        let rows = try BenchmarkSpace.with(in: try ArgumentPath.existing(directory)) {
            try EngineBenchmark(directory: $0, rounds: rounds, count: count).rows()
        }
        for peer in PeerStore.absent { StandardError.say("faultline: not installed, not measured: \(peer.title)") }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
