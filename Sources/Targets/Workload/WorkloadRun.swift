import Bytes
import Glibc

/// A running workload process.
///
/// End it with `finish` or `kill`. Thread safe.
package final class WorkloadRun: Sendable {
    package let process: ChildProcess
    private let timeoutMilliseconds: Int

    /// Starts the workload of `target`. Returns after execve(2).
    package init(_ target: ConfiguredTarget, _ environment: WorkloadEnvironment) throws(TargetError) {
        var absolute = environment
        absolute.directory = try environment.directory.absolutePath()
        absolute.oracle = try environment.oracle.absolutePath()
        absolute.timings = try environment.timings?.absolutePath()
        var command = target.workload
        command.environment.merge(absolute.variables) { $1 }
        process = try ProcessRunner.start(command)
        timeoutMilliseconds = target.target.timeoutSeconds * 1000
    }

    /// Waits for its end. If the oracle does not grow within the target's time limit, the workload hangs: it is killed,
    /// and the result is `.timedOut`. Also kills its descendants. Returns nil if `shouldStop` became true first; then
    /// it is killed.
    ///
    /// - Parameters: - oracle: the path of the actual oracle file. - afterSignal: called after the kill signal, to
    ///   release processes that block uninterruptibly, such as in delayed writeback.
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

    /// Kills it and its descendants. Returns how its process ended: it may have finished before the kill.
    package func kill(afterSignal: () -> Void = {}) throws(TargetError) -> Termination {
        try process.killTree(afterSignal: afterSignal)
        return process.termination ?? .signalled(9)
    }

    /// Its standard error on one line.
    package var errorOutput: String { ByteString(process.standardError.bytes).said }
}
