import Bytes

/// A workload at work.
///
/// Whoever starts it ends it, with `waitOrKill` or `kill`. Thread safe.
package final class WorkloadRun: Sendable {
    package let process: ChildProcess
    private let timeoutMilliseconds: Int

    /// Starts the workload of `target`. Returns once it has been executed.
    package init(_ target: ConfiguredTarget, _ environment: WorkloadEnvironment) throws(TargetError) {
        var absolute = environment
        absolute.directory = try environment.directory.absolutePath()
        absolute.oracle = try environment.oracle.absolutePath()
        var command = target.workload
        command.environment.merge(absolute.variables) { $1 }
        process = try ProcessRunner.start(command)
        timeoutMilliseconds = target.target.timeoutSeconds * 1000
    }

    /// Waits for its end, at most as long as the target may take; whatever is then left of it is killed.
    package func waitOrKill() throws(TargetError) -> Termination {
        try process.waitOrKill(timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Waits for its end; nil when it has not come within the time.
    package func wait(milliseconds: Int) throws(TargetError) -> Termination? {
        try process.wait(timeoutMilliseconds: milliseconds)
    }

    /// Kills it, its group in one step, and everything it started. Returns how its own process ended: a workload that
    /// had already finished was not cut short.
    package func kill() throws(TargetError) -> Termination {
        try process.killTree()
        return process.termination ?? .signalled(9)
    }

    /// What it said on its standard error.
    package var complaints: ByteString { process.standardError }
}
