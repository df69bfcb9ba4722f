import CPlatform
import FaultFS
import Glibc
import Machine
import Scenarios

/// Where the process begins. What has to be done before any other thread exists is done first.
@main struct Main {
    static func main() {
        faultline_reserve_standard_streams()
        FaultMount.prepareProcess()
        Interruption.shared.install()
        // A file beyond the limit of `ulimit -f` is then an error with a path, EFBIG, and not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        let words = CommandLine.arguments.dropFirst()
        // Whoever mounts waits for the process that serves, which needs no other command: making all of them ready to be
        // parsed takes as long as mounting.
        if words.starts(with: MountCommand.serviceWords) {
            CommandLineEnding.run(MountCommand.self, Array(words.dropFirst())).exit()
        }
        CommandLineEnding.run(FaultlineCommand.self).exit()
    }
}
