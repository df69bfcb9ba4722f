import ArgumentParser
import Benchmarks
import Bytes
import Foundation
import Report
import Runs
import Scenarios

struct BenchMountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "What a mount costs, beside the bare directory, bindfs and any other filesystem.",
        discussion: """
            Every filesystem is mounted in turn over a fresh directory, in each round again; the client and whatever \
            serves it share one core. bindfs is measured where it is installed. Another is named with its command, in \
            which {backing} and {mount} stand for the directories:

              faultline bench mount --peer 'passthrough_ll=/opt/fuse/passthrough_ll -o source={backing} {mount}'

            The aims are those against other FUSE filesystems: 0.9 of each in most rows; a peer of the name lazyfs is \
            to be beaten twofold where it appends. The trace lies beside the backing directory: in memory with the \
            usual --directory.
            """)

    @Option(help: "An existing directory on the filesystem to measure.")
    var directory: ByteString = "/dev/shm"

    @Option(name: .customLong("peer"), help: "NAME=COMMAND: another filesystem to stand beside. May be repeated.")
    var peerTexts: [String] = []

    @Option(help: "How many rounds; the median counts.")
    var rounds = 5

    @Option(help: "How long each row is measured in each round, as 300ms or 2s.")
    var duration = TimeSpan(milliseconds: 300)

    @Option(help: "Measure this alone: rates, or the crash-cycle.")
    var only: MountBenchmark.Part?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
        guard (10...60_000).contains(duration.milliseconds) else {
            throw ValidationError("--duration must be from 10ms to 60s")
        }
        for text in peerTexts where MeasuredFilesystem(peer: text) == nil {
            throw ValidationError("--peer '\(text)' is not NAME=COMMAND with {backing} and {mount} in the command")
        }
    }

    func run() throws {
        let rows = try BenchmarkSpace.with(in: try ArgumentPath.existing(directory)) {
            try MountBenchmark(
                directory: $0, rounds: rounds, seconds: Double(duration.milliseconds) / 1000,
                peers: peerTexts.compactMap { MeasuredFilesystem(peer: $0) },
                parts: only.map { [$0] } ?? Set(MountBenchmark.Part.allCases)
            ).rows()
        }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}

extension MountBenchmark.Part: ExpressibleByArgument {}
