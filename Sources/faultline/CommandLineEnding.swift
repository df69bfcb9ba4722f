import ArgumentParser
import Machine
import Report
import Runs
import Scenarios

/// Maps the outcome of a command to output and exit status: help goes to standard output, errors to standard error, and
/// a usage error is 2 (not ArgumentParser's 64).
enum CommandLineEnding {
    /// Runs the command named by `arguments` (by default the process's).
    static func run(_ root: any ParsableCommand.Type, _ arguments: [String]? = nil) -> ExitStatus {
        do {
            var command = try root.parseAsRoot(arguments)
            do {
                try command.run()
                return .pass
            } catch {
                // The error may come from an interruption: then the process ends with the signal's status.
                Interruption.shared.waitIfInterrupted()
                if let status = error as? ExitStatus { return status }
                if case RunError.inconclusive(let reason) = error {
                    say("inconclusive: \(reason)")
                    return .inconclusive
                }
                // Help on demand (`faultline`, `faultline help`) is thrown by run, too.
                if isFromArgumentParser(error), root.exitCode(for: error) == .success { return end(root, error) }
                // An error at run time is not a usage error: print no usage.
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
