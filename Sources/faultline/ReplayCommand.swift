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
            case's oracle. Exits with 1 when the violation shows again, and with 0 when the target now keeps its promise.
            """)

    @Argument(help: "The case's directory: RUN/cases/N.")
    var directory: ByteString

    @Option(help: "The target, for a case whose target does not come with Faultline: its manifest's path.")
    var target: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let replay = try Replay(directory: directory, targets: .besideThisProgram(), reference: target)
        let outcome = try Interruption.shared.awaiting { try replay.run() }
        let report = ReplayReport(replay, outcome)
        if json { try JSONOutput.printObject(report) } else { print(report.text(for: .output), terminator: "") }
        throw ExitStatus(outcome.judgement.verdict)
    }
}
