import ArgumentParser
import Bytes

/// Which case, and whose commands are run for it: what `replay` and `recheck` have in common.
struct CaseArguments: ParsableArguments {
    @Argument(help: "The case's directory, RUN/cases/N, or the archive of one.")
    var directory: ByteString

    @Option(help: "The target, for a case whose target does not come with Faultline: its manifest's path.")
    var target: String?

    @Flag(help: "Run the commands of the manifest that came with the case. They are not Faultline's: read them first.")
    var trust = false
}
