import ArgumentParser
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
                // Help on demand (`faultline`, `faultline help`) is thrown by run, too.
                if let status = error as? ExitStatus { return status }
                guard isFromArgumentParser(error) else {
                    say("faultline: \(error)")
                    return .error
                }
                return end(root, error)
            }
        } catch {
            return end(root, error)
        }
    }

    private static func end(_ root: any ParsableCommand.Type, _ error: any Error) -> ExitStatus {
        let text = root.fullMessage(for: error)
        guard root.exitCode(for: error) == .success else {
            say(text)
            return .error
        }
        print(text)
        return .pass
    }

    private static func isFromArgumentParser(_ error: any Error) -> Bool {
        error is CleanExit || error is ValidationError || error is ExitCode
            || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    private static func say(_ text: String) { StandardError.say(text) }
}
