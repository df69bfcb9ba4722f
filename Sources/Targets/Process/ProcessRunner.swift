/// Starting processes. All of them come from one lifelong thread; see `ChildProcess` for what is promised about them.
package enum ProcessRunner {
    /// Starts `command`. Returns once the program has been executed; a program that is missing, or may not be executed,
    /// is an error here.
    package static func start(_ command: Command) throws(TargetError) -> ChildProcess {
        try ProcessKeeper.shared().spawn(command)
    }

    /// Runs `command` to its end, and kills it when it takes longer.
    package static func run(
        _ command: Command, timeoutMilliseconds: Int
    ) throws(TargetError) -> (termination: Termination, process: ChildProcess) {
        let process = try start(command)
        return (try process.waitOrKill(timeoutMilliseconds: timeoutMilliseconds), process)
    }
}
