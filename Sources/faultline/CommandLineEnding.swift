import ArgumentParser
import Machine
import Report
import Runs
import Scenarios

/// From the arguments to the exit status: help goes to standard output, errors to standard error, and wrong usage is
/// 2 (ArgumentParser's own is 64, which no table of ours knows).
enum CommandLineEnding {
    /// Runs the command that `arguments` name (by default those of the process).
    static func run(_ root: any ParsableCommand.Type, _ arguments: [String]? = nil) -> ExitStatus {
        do {
            var command = try root.parseAsRoot(arguments)
            do {
                try command.run()
                return .pass
            } catch {
                // What was interrupted may fail for that; the process ends as the signal says.
                Interruption.shared.waitIfInterrupted()
                if let status = error as? ExitStatus { return status }
                if case RunError.inconclusive(let reason) = error {
                    say("inconclusive: \(reason)")
                    return .inconclusive
                }
                // Help on demand (`faultline`, `faultline help`) is thrown by run, too.
                if isFromArgumentParser(error), root.exitCode(for: error) == .success { return end(root, error) }
                // What the command found out when it ran is no matter of how it is called: no usage goes with it.
                say("error: \(isFromArgumentParser(error) ? root.message(for: error) : "\(error)")")
                return .error
            }
        } catch {
            return end(root, error)
        }
    }

    private static func end(_ root: any ParsableCommand.Type, _ error: any Error) -> ExitStatus {
        let text = root.fullMessage(for: error)
        guard root.exitCode(for: error) == .success else {
            say("error: " + text.trimmingPrefix("Error: "))
            return .error
        }
        StandardOutput.write(text + "\n")
        return .pass
    }

    private static func isFromArgumentParser(_ error: any Error) -> Bool {
        error is CleanExit || error is ValidationError || error is ExitCode
            || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    private static func say(_ text: String) { StandardError.say(text.withLongWordsShortened()) }
}
