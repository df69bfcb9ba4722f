import ArgumentParser
import Bytes
import Machine
import Oracle
import Replay
import Report
import Scenarios
import Targets

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Shows a failing crash again, from its case.",
        discussion: """
            Derives the crash state from the case's trace, lets the target recover it, and judges what it shows by the \
            case's oracle. An archive that `faultline case export` made is unpacked first, and checked. A case of a target \
            that does not come with Faultline runs nothing until you name the target or trust the case. The state comes from \
            the recorded trace, so that a fix on the write side can't change it: `faultline recheck` records the workload \
            again. A case may come from anywhere: the target's commands run in a sandbox, where they can write to the \
            recovered state alone, whatever links and paths are in it (docs/sandbox.md). Where no sandbox works (`faultline \
            doctor`), a state with links that lead out of it is refused. Exits with 1 when the violation shows again, and \
            with 0 when the target now recovers this state.
            """)

    @OptionGroup var `case`: CaseArguments

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var reports: ReportOptions

    func run() throws {
        let reports = try reports.open(reading: `case`.inputs)
        let targets = try TargetCatalog.besideThisProgram()
        let (replay, outcome) = try Interruption.shared.awaiting {
            try Replay.show(
                `case`.directory, targets: targets, reference: `case`.target, trusts: `case`.trust,
                isSandboxed: !`case`.noSandbox, wording: English(), memory: memory.memory,
                wantsFacts: reports.haveAPage)
        }
        let report = ReplayReport(replay, outcome)
        try reports.write(report)
        throw ExitStatus(outcome.judgement.verdict)
    }
}
