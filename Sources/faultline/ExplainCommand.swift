import ArgumentParser
import Bytes
import Machine
import Replay
import Report
import Runs
import Scenarios
import Targets

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Says which sync is missing, so that a case fails.",
        discussion: """
              faultline explain RUN/cases/1

            Replays the case, and ends its story with the additional syncs with which no crash state would fail for the same \
            cause. They are found by inserting syncs into the case's trace, and by deriving and judging the crash states \
            again; what `explore` found out for its whole run is told as it is in the case. Where no sync helps, it says what \
            kind of change would. The answer is kept in the case. docs/exploring.md

            The target's commands run in a sandbox, as in `replay`, and the exit code is that of `replay`: 1 if the violation \
            shows again, 0 if the target now recovers this state.
            """)

    @OptionGroup var `case`: CaseArguments

    @Option(help: "The most time for the search, such as 60s or 10m (default: 60s).")
    var budget: TimeSpan?

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    func run() throws {
        let reports = try reports.open(reading: `case`.inputs)
        let targets = try TargetCatalog.besideThisProgram()
        let progress = Progress(self.progress.progress)
        let explanation = try Interruption.shared.awaiting {
            defer { progress.clear() }
            return try CaseExplanation.explain(
                `case`.directory, seconds: budget?.seconds ?? 60, targets: targets, reference: `case`.target,
                trusts: `case`.trust, isSandboxed: !`case`.noSandbox, wording: English(), memory: memory.memory,
                progress: { progress.show($0) })
        }
        Interruption.shared.waitIfInterrupted()
        try reports.write(ReplayReport(explanation))
        throw ExitStatus(explanation.outcome.judgement.verdict)
    }
}
