import Bytes
import Glibc

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

    /// Waits for its end as long as the file of the oracle grows; after so long without a new line as the target may
    /// take it hangs, and is killed: `.timedOut`. Whatever it left running is killed too. Nil when `shouldStop` turned
    /// true first; it is killed then.
    ///
    /// - Parameters:
    ///   - oracle: where the oracle's lines really lie.
    ///   - afterSignal: called when it is being killed; frees what waits where no signal reaches it, as a process does
    ///     whose pages are written late.
    package func finish(
        watching oracle: ByteString, shouldStop: () -> Bool = { false }, afterSignal: () -> Void = {}
    ) throws(TargetError) -> Termination? {
        var (size, waited) = (WorkloadRun.size(of: oracle), 0)
        while waited < timeoutMilliseconds {
            if try process.wait(timeoutMilliseconds: 100) != nil { return try kill() }
            waited += 100
            let now = WorkloadRun.size(of: oracle)
            if now != size { (size, waited) = (now, 0) }
            if shouldStop() {
                _ = try kill(afterSignal: afterSignal)
                return nil
            }
        }
        _ = try kill(afterSignal: afterSignal)
        return .timedOut
    }

    private static func size(of file: ByteString) -> off_t {
        var status = stat()
        return file.withCString { stat($0, &status) } == 0 ? status.st_size : 0
    }

    /// Kills it, its group in one step, and everything it started. Returns how its own process ended: a workload that
    /// had already finished was not cut short.
    package func kill(afterSignal: () -> Void = {}) throws(TargetError) -> Termination {
        try process.killTree(afterSignal: afterSignal)
        return process.termination ?? .signalled(9)
    }

    /// What it said on its standard error, in one line.
    package var complaints: String { ByteString(process.standardError.bytes).said }
}
