import ArgumentParser
import Bytes
import Machine
import Oracle
import Replay
import Report
import Runs
import Scenarios
import Targets

struct RecheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recheck",
        abstract: "Does the run of a case again, after a fix, and says whether its cause is gone.",
        discussion: """
              faultline recheck RUN/cases/1

            `replay` recovers the recorded crash state: it shows whether a fix of the *recovery* helps. `recheck` records \
            the workload again, with the same seed and options, and looks for the same cause: it shows whether any fix \
            helps, be it a sync that was missing, another order of writes, or a better recovery. Without --budget an \
            exploration goes through every epoch; it ends as soon as the cause shows.

            Exits with 0 when the cause is gone (other causes may be there: they are told), with 1 when it shows again, \
            and with 3 when the run came to no answer.
            """)

    @OptionGroup var `case`: CaseArguments

    @Option(help: "Stop exploring after so much time, such as 60s or 10m; not seen by then is inconclusive (exit 3).")
    var budget: TimeSpan?

    @Option(help: "Where the run directory is made (default: FAULTLINE_RUNS, else ./faultline-runs).")
    var out: ByteString?

    @OptionGroup(title: "Options of the guest") var machines: MachineOptions

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    func run() throws {
        let reports = try reports.open(reading: `case`.inputs)
        let targets = try TargetCatalog.besideThisProgram()
        var session = RunSession(
            parent: RunDirectory.parent(option: out), program: ProgramName.shown, wording: English(),
            memory: memory.memory)
        session.machines = machines.picker
        let verdict = try Interruption.shared.awaiting {
            try Recheck.open(
                `case`.directory, targets: targets, reference: `case`.target, trusts: `case`.trust,
                isSandboxed: !`case`.noSandbox, wording: English()
            ) { recheck in
                var recheck = recheck
                recheck.limit(toSeconds: budget?.seconds)
                if let obstacle = machines.picker.obstacle(to: recheck.needs) {
                    throw ValidationError("\(recheck.scenario) cannot run here: \(obstacle)")
                }
                let progress = Progress(self.progress.progress)
                let (result, outcome) = recheck.run(in: session) { progress.show($0) }
                progress.clear()
                let report = RecheckReport(recheck, result, outcome)
                try reports.write(report, keptIn: result.directory.map { [ByteString($0)] } ?? [])
                return outcome.verdict
            }
        }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(verdict)
    }
}
