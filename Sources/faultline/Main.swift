import CPlatform
import FaultFS
import Glibc
import Machine
import Scenarios

/// The entry point. Work that must precede any other thread comes first.
@main struct Main {
    static func main() {
        faultline_reserve_standard_streams()
        FaultMount.prepareProcess()
        Interruption.shared.install()
        // Exceeding `ulimit -f` then gives EFBIG, an error with a path, instead of killing the process.
        signal(SIGXFSZ, SIG_IGN)
        let words = CommandLine.arguments.dropFirst()
        // `mount` waits for the serving process, which needs only this command: setting up the parser for all commands
        // takes as long as mounting.
        if words.starts(with: MountCommand.serviceWords) {
            CommandLineEnding.run(MountCommand.self, Array(words.dropFirst())).exit()
        }
        CommandLineEnding.run(FaultlineCommand.self).exit()
    }
}
