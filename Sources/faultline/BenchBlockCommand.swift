import ArgumentParser
import Benchmarks
import Machine
import Report
import Runs
import Scenarios
import Targets

struct BenchBlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block",
        abstract: "How many crash images of a real ext4, xfs and btrfs a second are mounted, recovered and judged.",
        discussion: """
            The images are those of `faultline explore sqlite --block`; each is mounted, recovered by SQLite, validated and \
            unmounted. Beside them stands a loop by hand with cp, mount and umount, in turn with them, and of the time of an \
            image how much is the kernel's. Needs root (docs/real-filesystems.md).
            """)

    @Option(help: "How long each filesystem is explored, as 10s or 1m.")
    var duration = TimeSpan(milliseconds: 10_000)

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...600).contains(duration.seconds) else {
            throw ValidationError("--duration must be from 1s to 10m")
        }
    }

    func run() throws {
        try RunCommand.refuse(BlockScenario.name, needing: BlockScenario.needs)
        let targets = try TargetCatalog.besideThisProgram()
        let rows = try Interruption.shared.awaiting {
            try BlockBenchmark(targets: targets, seconds: duration.seconds, wording: English()).rows()
        }
        let report = BenchReport(rows: rows)
        if json { try StandardOutput.show(report, .object) } else { StandardOutput.write(report.text(for: .output)) }
    }
}
