import ArgumentParser
import Bytes
import Glibc
import Machine
import Replay
import Report
import Scenarios
import Storage
import Targets

struct MinimiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "minimise",
        abstract: "Makes a case smaller, and writes the smaller one.",
        discussion: """
              faultline minimise RUN/cases/1            writes RUN/cases/1-small

            Looks for the crash that loses the fewest operations, at the earliest point, under the strongest profile, and \
            still breaks the same check; then for the shortest beginning of the run that has such a crash for the same \
            cause. Findings of explore were made smaller already, but not as patiently. Nothing of the given case is \
            changed. The target's commands run in a sandbox, as in `replay`. Exits with 1 when the smaller case was written, and with 0 when the given one does not fail any more.
            """)

    @OptionGroup var arguments: CaseArguments

    @Option(
        name: .shortAndLong,
        help: "The directory to make; it must not be there yet (default: the case's name and -small).")
    var output: ByteString?

    @OptionGroup var memory: MemoryOptions

    @OptionGroup var progress: ProgressOptions

    @OptionGroup var reports: ReportOptions

    func run() throws {
        let output = try ArgumentPath.new(output ?? small)
        guard access("\(output)", F_OK) != 0 else {
            throw ValidationError("\(output) is there already: remove it, or name another directory with -o")
        }
        // Check before minutes of minimising.
        try OutputDirectory.check(output)
        let reports = try reports.open(reading: arguments.inputs)
        let targets = try TargetCatalog.besideThisProgram()
        let progress = Progress(self.progress.progress)
        let outcome = try Interruption.shared.awaiting {
            defer { progress.clear() }
            return try CaseMinimiser.minimise(
                arguments.directory, to: output, targets: targets, reference: arguments.target,
                trusts: arguments.trust, isSandboxed: !arguments.noSandbox, wording: English(), memory: memory.memory,
                progress: { progress.show($0) })
        }
        Interruption.shared.waitIfInterrupted()
        let report = MinimisedReport(outcome, writtenTo: output, program: ProgramName.shown)
        try reports.write(report, keptIn: outcome.after == nil ? [] : [output])
        throw ExitStatus(report.verdict)
    }

    /// `RUN/cases/1/` becomes `RUN/cases/1-small`, and `case.tar` becomes `case-small`.
    private var small: ByteString {
        var name = arguments.directory.bytes[...]
        while name.count > 1, name.last == UInt8(ascii: "/") { name.removeLast() }
        if name.count > 4, name.suffix(4).elementsEqual(".tar".utf8) { name.removeLast(4) }
        return ByteString(Array(name) + Array("-small".utf8))
    }
}
