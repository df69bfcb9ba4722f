import ArgumentParser
import Bytes
import Oracle
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
            that does not come with Faultline runs nothing until you name the target or trust the case. The state comes from the recorded trace, so that a fix on the write side can't change it: `faultline recheck` records \
            the workload again. Exits with 1 when the violation shows again, and with 0 when the target now recovers this state.
            """)

    @Argument(help: "The case's directory, RUN/cases/N, or the archive of one.")
    var directory: ByteString

    @Option(help: "The target, for a case whose target does not come with Faultline: its manifest's path.")
    var target: String?

    @Flag(help: "Run the commands of the manifest that came with the case. They are not Faultline's: read them first.")
    var trust = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let targets = try TargetCatalog.besideThisProgram()
        let (replay, outcome) = try Interruption.shared.awaiting {
            try Replay.show(directory, targets: targets, reference: target, trusts: trust)
        }
        let report = ReplayReport(replay, outcome)
        if json { try JSONOutput.printObject(report) } else { print(report.text(for: .output), terminator: "") }
        throw ExitStatus(outcome.judgement.verdict)
    }
}
