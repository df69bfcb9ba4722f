import Bytes
import Glibc
import Platform

/// A server on a store's directory that has answered. End it with `stop` or `kill`. Thread safe.
///
/// The process that answers is the one that was started, or a daemon of it: a server that finds another one at its
/// address, or that leaves the address to another, is an error of the setup.
package final class ServerProcess: Sendable {
    /// The process of the start command. It has ended if the server is a daemon.
    package let process: ChildProcess
    private let target: ConfiguredTarget
    private let settings: ServerSettings
    private let place: StorePlace
    private let log: ServerLog

    /// How a start ended.
    package enum Start: Sendable {
        case ready(ServerProcess)
        /// It ended, or said no; `wasKilled` if a signal from outside ended it.
        case failed(ChildProcess, reason: String, wasKilled: Bool)
        /// It was not ready within its time limit, and was killed.
        case hangs(ChildProcess, afterSeconds: Int, reason: String)
    }

    private init(
        _ target: ConfiguredTarget, _ settings: ServerSettings, _ place: StorePlace
    ) throws(TargetError) {
        (self.target, self.settings, self.place) = (target, settings, place)
        log = ServerLog(settings.log.map { target.substituted($0, at: place) })
        var command = target.serverCommand(settings.start, settings, at: place)
        command.output = .errors
        process = try ProcessRunner.start(command)
    }

    /// Starts the server of `target` on `directory` and waits until it answers.
    ///
    /// - Throws: a `TargetError` if the command could not be run or another server answers.
    package static func start(
        _ target: ConfiguredTarget, _ settings: ServerSettings, on directory: ByteString, at endpoint: ServerEndpoint,
        shouldStop: () -> Bool = { false }
    ) throws(TargetError) -> Start {
        // A socket that a killed server left.
        _ = endpoint.socket.withCString { unlink($0) }
        let server = try ServerProcess(target, settings, StorePlace(directory, endpoint))
        do {
            let start = try server.waitUntilReady(endpoint, shouldStop)
            if case .ready = start { return start }
            try server.kill()
            return start
        } catch {
            try server.kill()
            throw error
        }
    }

    private func waitUntilReady(
        _ endpoint: ServerEndpoint, _ shouldStop: () -> Bool
    ) throws(TargetError) -> Start {
        let deadline = Deadline(afterMilliseconds: settings.timeoutSeconds * 1000)
        var pause = 1
        var complaint = ""
        var grace: Deadline?
        while true {
            if let end = process.termination {
                // A start command that leaves a daemon ends with 0. A daemon that is within execve(2) may not be seen.
                let hasDaemons = try !daemons().isEmpty
                if grace == nil || hasDaemons {
                    grace = Deadline(afterMilliseconds: Self.daemonGraceMilliseconds)
                }
                if !end.isSuccess || grace?.hasPassed == true {
                    let reason = "the server \(end) before it was ready" + errorOutput
                    return .failed(process, reason: reason, wasKilled: end.isFromOutside)
                }
            }
            if try isReady(endpoint, until: deadline, &complaint) {
                try requireOurs(endpoint)
                return .ready(self)
            }
            guard !deadline.hasPassed else {
                let reason =
                    "the server was not ready within \(settings.timeoutSeconds) s" + complaint + errorOutput
                return .hangs(process, afterSeconds: settings.timeoutSeconds, reason: reason)
            }
            if shouldStop() { return .failed(process, reason: "interrupted", wasKilled: true) }
            if process.termination == nil {
                _ = try process.wait(timeoutMilliseconds: pause)
            } else {
                usleep(UInt32(pause) * 1000)
            }
            pause = min(2 * pause, 20)
        }
    }

    private static let daemonGraceMilliseconds = 1000

    private func isReady(
        _ endpoint: ServerEndpoint, until deadline: Deadline, _ complaint: inout String
    ) throws(TargetError) -> Bool {
        switch settings.ready {
        case .port: return endpoint.acceptsOnPort()
        case .socket: return endpoint.listenerOnSocket() != nil
        case .command(let words):
            var command = target.serverCommand(words, settings, at: place)
            command.output = .errors
            let limit = Int(max(1, deadline.remainingMilliseconds))
            let (end, asked) = try ProcessRunner.run(command, timeoutMilliseconds: limit)
            if end.isSuccess { return true }
            // The last attempt is cut short by the time limit: an earlier one said why.
            if end == .timedOut, !complaint.isEmpty { return false }
            let said = asked.standardError.said
            complaint = "; the ready command \(end)" + (said.isEmpty ? "" : ": \(said)")
            return false
        }
    }

    // MARK: - Whose it is

    /// The processes of the server. All of them, if the start command has ended.
    private func family() throws(TargetError) -> [pid_t] {
        var all = try daemons()
        if process.termination == nil { all.append(process.processID) }
        for root in all { all += try ProcessTable.descendants(of: root) }
        return all
    }

    private func daemons() throws(TargetError) -> [pid_t] { try process.orphans() }

    /// Throws if another process listens where the server should.
    private func requireOurs(_ endpoint: ServerEndpoint) throws(TargetError) {
        let deadline = Deadline(afterMilliseconds: Self.daemonGraceMilliseconds)
        while let stranger = try stranger(at: endpoint) {
            guard !deadline.hasPassed else { throw stranger }
            usleep(10_000)
        }
    }

    /// The error if another process listens there; nil if none is seen.
    private func stranger(at endpoint: ServerEndpoint) throws(TargetError) -> TargetError? {
        let family = try family()
        if let listener = endpoint.listenerOnSocket(), !family.contains(listener) {
            return .foreignServer(at: endpoint.socket, process: listener)
        }
        let inodes = endpoint.listeningInodes()
        let isOurs = family.contains { process in
            OpenFiles.sockets(of: process).contains { inodes.contains($0) }
        }
        return inodes.isEmpty || isOurs
            ? nil : .foreignServer(at: ByteString("port \(endpoint.port)"), process: nil)
    }

    // MARK: - Its end

    /// Ends it cleanly: with its stop command, or with SIGTERM. Kills what is left after the time limit.
    ///
    /// - Returns: nil, or why it did not end.
    package func stop() throws(TargetError) -> String? {
        let deadline = Deadline(afterMilliseconds: settings.timeoutSeconds * 1000)
        var complaint = ""
        if let words = settings.stop {
            var command = target.serverCommand(words, settings, at: place)
            command.output = .errors
            let (end, asked) = try ProcessRunner.run(command, timeoutMilliseconds: settings.timeoutSeconds * 1000)
            let said = asked.standardError.said
            if !end.isSuccess { complaint = "; the stop command \(end)" + (said.isEmpty ? "" : ": \(said)") }
        } else if process.termination == nil {
            process.signalAlone(SIGTERM)
        } else {
            for daemon in try daemons() { _ = Glibc.kill(daemon, SIGTERM) }
        }
        var hasEnded = false
        while !hasEnded, !deadline.hasPassed {
            if try process.wait(timeoutMilliseconds: 10) != nil { hasEnded = try daemons().isEmpty }
            if !hasEnded, process.termination != nil { usleep(2000) }
        }
        let reason = "the server did not end within \(settings.timeoutSeconds) s" + complaint + errorOutput
        try kill()
        return hasEnded ? nil : reason
    }

    /// Kills all its processes with SIGKILL.
    ///
    /// - Parameter afterSignal: called after the signal, to release processes that block uninterruptibly.
    package func kill(afterSignal: () -> Void = {}) throws(TargetError) {
        try process.killTree(afterSignal: afterSignal)
    }

    /// Kills its process group without waiting.
    func signalKill() { process.signal(SIGKILL) }

    /// Whether it has ended by itself; how, for a process without daemons.
    var ending: Termination? { process.termination }

    /// The end of its log, for the end of a sentence; empty if it says nothing.
    var errorOutput: String {
        process.drainErrors()
        let said = log.tail(otherwise: process.standardError)
        return said.isEmpty ? "" : ": \(said)"
    }
}
