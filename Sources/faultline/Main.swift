import Scenarios

/// Where the process begins. Signals are taken care of before any other thread exists.
@main struct Main {
    static func main() {
        Interruption.shared.install()
        CommandLineEnding.run(FaultlineCommand.self).exit()
    }
}
