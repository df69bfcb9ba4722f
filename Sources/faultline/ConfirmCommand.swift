import ArgumentParser
import Block
import Bytes
import Machine
import Oracle
import Replay
import Report
import Runs
import Scenarios
import Targets

extension BlockFilesystem: ExpressibleByArgument {}

struct ConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Looks for what a case shows below real filesystems of this kernel.",
        discussion: """
              sudo faultline confirm RUN/cases/1
              sudo faultline confirm RUN/cases/1 --fs xfs --budget 5m

            A case on files shows what a profile allows. This runs the case's workload, with the same seed, on a real ext4, xfs \
            and btrfs, mounts the images that a power cut could leave of their devices, and looks for a store that breaks the \
            same promise: `seen on ext4 6.18: 12 of 340 crash states`, or not. The answer is kept in the case, and `replay` \
            tells it. docs/real-filesystems.md

            Exits with 1 when it was seen on any of them, with 0 when on none (the model allows it, and these filesystems did \
            not show it), and with 3 when that cannot be told: something is missing, or the budget was used up.
            """)

    @OptionGroup var `case`: CaseArguments

    @Option(
        name: .customLong("fs"),
        help:
            "The filesystems, with commas between them: \(BlockFilesystem.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var filesystems = Confirmer.defaultFilesystems.map(\.rawValue).joined(separator: ",")

    @Option(help: "How long each filesystem is explored, such as 60s or 10m (default: \(Confirmer.defaultSeconds)s).")
    var budget: TimeSpan?

    @Option(help: "Where the run directories are made (default: FAULTLINE_RUNS, else ./faultline-runs).")
    var out: ByteString?

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    private var wanted: [BlockFilesystem] {
        get throws {
            try filesystems.split(separator: ",", omittingEmptySubsequences: false).map { name in
                guard let filesystem = BlockFilesystem(rawValue: String(name)) else {
                    throw ValidationError(
                        "--fs must be of \(BlockFilesystem.allCases.map(\.rawValue).joined(separator: ", ")), not \(name)"
                    )
                }
                return filesystem
            }
        }
    }

    func validate() throws { _ = try wanted }

    func run() throws {
        let reports = try reports.open(reading: `case`.inputs)
        let targets = try TargetCatalog.besideThisProgram()
        let session = RunSession(
            parent: RunDirectory.parent(option: out), program: ProgramName.shown, wording: English(),
            memory: memory.memory)
        let doctor = Doctor(driver: DoctorCommand.driver())
        let filesystems = try wanted
        let verdict = try Interruption.shared.awaiting {
            try CaseConfirmation.open(
                `case`.directory, targets: targets, reference: `case`.target, trusts: `case`.trust,
                isSandboxed: !`case`.noSandbox, wording: English()
            ) { confirmation, isArchive in
                let progress = Progress(self.progress.progress)
                let results = confirmation.run(
                    below: filesystems, seconds: budget?.seconds ?? Confirmer.defaultSeconds, in: session,
                    lacking: { doctor.obstacle(to: $0) }, progress: { progress.show($0) })
                progress.clear()
                if !isArchive, !Interruption.shared.isInterrupted {
                    try confirmation.keep(results.map(\.confirmation))
                }
                let report = ConfirmReport(confirmation.cause.check, results)
                try reports.write(report)
                return report.verdict
            }
        }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(verdict)
    }
}
