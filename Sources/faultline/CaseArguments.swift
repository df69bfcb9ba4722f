import ArgumentParser
import Bytes

/// The case and the target: the common arguments of `replay`, `recheck` and `minimise`.
struct CaseArguments: ParsableArguments {
    @Argument(help: "The case's directory, RUN/cases/N, or the archive of one.")
    var directory: ByteString

    @Option(help: "The target, for a case whose target does not come with Faultline: its manifest's path.")
    var target: String?

    @Flag(
        help: """
            Trust who made the case: run the commands of the manifest that came with it (read them first), and follow links \
            that lead out of its state where no sandbox works, and let the kernel mount the disk image of a case of `block`.
            """)
    var trust = false

    @Flag(help: "Let the target's commands write wherever they like, and not in scratch space alone.")
    var noSandbox = false

    /// The files that the command reads.
    var inputs: [ByteString] { [directory] + (target.map { [ByteString($0)] } ?? []) }
}
