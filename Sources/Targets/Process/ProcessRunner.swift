/// Starts processes, all from one permanent thread; see `ChildProcess`.
package enum ProcessRunner {
    /// Starts `command`. Returns after execve(2); throws when the program is missing or not executable.
    package static func start(_ command: Command) throws(TargetError) -> ChildProcess {
        try ProcessKeeper.shared().spawn(command)
    }

    /// Runs `command` to its end, or kills it at the timeout.
    package static func run(
        _ command: Command, timeoutMilliseconds: Int
    ) throws(TargetError) -> (termination: Termination, process: ChildProcess) {
        let process = try start(command)
        return (try process.waitOrKill(timeoutMilliseconds: timeoutMilliseconds), process)
    }
}
