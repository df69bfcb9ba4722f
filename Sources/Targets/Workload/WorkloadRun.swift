import Bytes
import Glibc
import Platform

/// A running workload process, and the server that it talks to if the target has one.
///
/// End it with `finish` or `kill`. Thread safe.
package final class WorkloadRun: Sendable {
    /// The workload; for a server that did not start, the process of its start command, which has ended.
    package let process: ChildProcess
    private let server: ServerProcess?
    private let endpoint: ServerEndpoint?
    /// Why there is no workload: the server did not start.
    private let refusal: Refusal?
    private let timeoutMilliseconds: Int

    private struct Refusal {
        var termination: Termination
        var reason: String
    }

    /// Starts the server of `target`, if it has one, and waits until it is ready; then starts the workload. Returns after
    /// execve(2). A server that does not start counts as a workload that exits with 1.
    package init(
        _ target: ConfiguredTarget, _ environment: WorkloadEnvironment, shouldStop: () -> Bool = { false }
    ) throws(TargetError) {
        var absolute = environment
        absolute.directory = try environment.directory.absolutePath()
        absolute.oracle = try environment.oracle.absolutePath()
        absolute.timings = try environment.timings?.absolutePath()
        timeoutMilliseconds = target.target.timeoutSeconds * 1000
        guard let settings = target.target.server else {
            (server, endpoint, refusal) = (nil, nil, nil)
            var command = target.workload
            command.environment.merge(absolute.variables) { $1 }
            process = try ProcessRunner.start(command)
            return
        }
        let endpoint = try target.makeEndpoint()
        self.endpoint = endpoint
        switch try ServerProcess.start(target, settings, on: absolute.directory, at: endpoint, shouldStop: shouldStop) {
        case .failed(let process, let reason, _):
            (server, self.process, refusal) = (nil, process, Refusal(termination: .exited(code: 1), reason: reason))
        case .hangs(let process, _, let reason):
            (server, self.process, refusal) = (nil, process, Refusal(termination: .timedOut, reason: reason))
        case .ready(let started):
            (server, refusal) = (started, nil)
            var command = target.workload(at: endpoint)
            command.environment.merge(absolute.variables) { $1 }
            do { process = try ProcessRunner.start(command) } catch {
                try started.kill()
                throw error
            }
        }
    }

    /// Waits for its end. If the oracle does not grow within the target's time limit, the workload hangs: it is killed,
    /// and the result is `.timedOut`. Also kills its descendants. Returns nil if `shouldStop` became true first; then
    /// it is killed. The server of a workload that succeeded is ended cleanly; one that does not end is a hang.
    ///
    /// - Parameters: - oracle: the path of the actual oracle file. - afterSignal: called after the kill signal, to
    ///   release processes that block uninterruptibly, such as in delayed writeback.
    package func finish(
        watching oracle: ByteString, shouldStop: () -> Bool = { false }, afterSignal: () -> Void = {}
    ) throws(TargetError) -> Termination? {
        if let refusal { return shouldStop() ? nil : refusal.termination }
        var (size, waited) = (WorkloadRun.size(of: oracle), 0)
        while waited < timeoutMilliseconds {
            if let end = try process.wait(timeoutMilliseconds: 100) { return try endServer(after: end, afterSignal) }
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

    private func endServer(after end: Termination, _ afterSignal: () -> Void) throws(TargetError) -> Termination {
        if end.isSuccess, let server, let reason = try server.stop() {
            problem.withLock { $0 = reason }
            try process.killTree()
            return .timedOut
        }
        // A client may notice the end of its server before it can be seen here.
        if !end.isSuccess { _ = try server?.process.wait(timeoutMilliseconds: Self.serverEndMilliseconds) }
        return try kill(afterSignal: afterSignal)
    }

    private static let serverEndMilliseconds = 300

    private static func size(of file: ByteString) -> off_t {
        var status = stat()
        return file.withCString { stat($0, &status) } == 0 ? status.st_size : 0
    }

    /// Kills it, its server and their descendants. Returns how its process ended: it may have finished before the kill.
    package func kill(afterSignal: () -> Void = {}) throws(TargetError) -> Termination {
        if let refusal { return refusal.termination }
        if let server {
            noteEnd(of: server)
            // A client that sees its server die would write and exit before it is killed.
            process.signal(SIGSTOP)
            server.signalKill()
            process.signal(SIGKILL)
            try server.kill(afterSignal: afterSignal)
        }
        try process.killTree(afterSignal: afterSignal)
        return process.termination ?? .signalled(9)
    }

    /// What a server said that ended before the workload did.
    private func noteEnd(of server: ServerProcess) {
        guard let end = server.ending, !end.isSuccess else { return }
        let reason = "the server \(end)" + server.errorOutput
        problem.withLock { if $0.isEmpty { $0 = reason } }
    }

    private let problem = Guarded("")

    /// The process whose use of resources counts: the server's, if there is one.
    package var measuredProcess: Int32 { (server?.process ?? process).processID }

    /// Its standard error on one line, and what is known of its server.
    package var errorOutput: String {
        if let refusal { return refusal.reason }
        return [ByteString(process.standardError.bytes).said, problem.withLock { $0 }].filter { !$0.isEmpty }
            .joined(separator: "; ")
    }
}
