import Bytes
import Model
import Oracle
import Platform
import Synchronization

/// Recovers directories with a target's recover command and returns the store's content.
///
/// A persistent recover process serves many directories in sequence, which makes thousands of states per second
/// possible. Each process is used by one thread at a time and then kept for the next request. One that dies or hangs is
/// replaced; that is the outcome only of its directory.
///
/// A persistent process may carry over state from one directory to the next, so confirm its failures with
/// `recoverAlone`.
///
/// Thread safe. `close` or the last reference ends the processes.
package final class RecoverClient: Sendable {
    private let target: ConfiguredTarget
    private let timeoutSeconds: Int
    private let idle = Guarded<[RecoverProcess]>([])
    /// Sandboxed clients by directory, for states that this client must not recover.
    private let confined = Guarded<[ByteString: RecoverClient]>([:])
    private let hangs = Atomic<Int>(0)
    /// The time of its recoveries.
    package let clock: RecoveryClock

    package init(
        _ target: ConfiguredTarget, timeoutSeconds: Int? = nil, clock: RecoveryClock = RecoveryClock()
    ) {
        self.target = target
        self.clock = clock
        self.timeoutSeconds = timeoutSeconds ?? target.target.timeoutSeconds
    }

    /// Recovers `directory`, with a persistent process if the target supports it. Recovery changes the directory.
    /// Messages in the outcome call the directory `.`.
    ///
    /// - Throws: `TargetError` when recovery could not be run; that is not a result for the store.
    package func recover(_ directory: ByteString) throws(TargetError) -> RecoverOutcome {
        var isReleased = false
        return try recover(directory, releasing: &isReleased)
    }

    /// The same, and reports whether the directory may be used again.
    ///
    /// - Parameter isReleased: if true, it is set to false if a process that is still alive may have something in the
    ///   directory open.
    package func recover(
        _ directory: ByteString, releasing isReleased: inout Bool
    ) throws(TargetError) -> RecoverOutcome {
        let path = try checked(directory)
        guard target.isPersistent else { return try runOnce(path).replacingPath(path) }
        return try recoverPersistently(path, &isReleased).replacingPath(path)
    }

    /// Runs `body` while the server of the target, if it has one, runs on `directory`. The server is killed after it: a
    /// store must survive that, and it is quicker than a clean end.
    private func withServer(
        on directory: ByteString, at endpoint: ServerEndpoint?, _ body: () throws(TargetError) -> RecoverOutcome
    ) throws(TargetError) -> RecoverOutcome {
        guard let settings = target.target.server, let endpoint else {
            return try checked(body, in: directory, at: nil)
        }
        let start = try clock.measure(.start) { () throws(TargetError) in
            try ServerProcess.start(target, settings, on: directory, at: endpoint)
        }
        switch start {
        case .failed(_, let reason, let wasKilled):
            return wasKilled ? .killed(reason: reason) : .doesNotOpen(reason: reason)
        case .hangs(_, let seconds, _):
            hangs.add(1, ordering: .relaxed)
            return .hangs(afterSeconds: seconds)
        case .ready(let server):
            let outcome: RecoverOutcome
            do {
                outcome = try checked(body, in: directory, at: endpoint)
            } catch {
                try server.kill()
                throw error
            }
            let end = server.ending
            let said = end == nil ? "" : server.errorOutput
            try clock.measure(.stop) { () throws(TargetError) in try server.kill() }
            // A client can only say that the connection is gone.
            if case .doesNotOpen(let reason) = outcome, let end, !end.isSuccess {
                return .doesNotOpen(reason: "\(reason); the server \(end)\(said)")
            }
            return outcome
        }
    }

    /// The outcome of `body`, with the answer of the store's own checker.
    private func checked(
        _ body: () throws(TargetError) -> RecoverOutcome, in directory: ByteString, at endpoint: ServerEndpoint?
    ) throws(TargetError) -> RecoverOutcome {
        let outcome = try clock.measure(.recover, body)
        return try clock.measure(.check) { () throws(TargetError) in
            try target.checked(outcome, in: directory, at: endpoint, timeoutSeconds: timeoutSeconds)
        }
    }

    /// Recovers `directory` in its own process. Repeats it once if the process was killed from outside or died after
    /// its answer; if the second attempt succeeds, adds a warning.
    ///
    /// - Parameter restore: undoes the changes of the first attempt before the second.
    package func recoverAlone(
        _ directory: ByteString, restoring restore: () throws -> Void = {}
    ) throws -> RecoverOutcome {
        let first = try recoverOnce(directory)
        guard first.needsRepeating else { return first }
        try restore()
        let second = try recoverOnce(directory)
        if case .opened = second { warn(about: first) }
        return second
    }

    /// Adds a warning about a failure that did not happen again.
    package func warn(about outcome: RecoverOutcome) {
        guard case .diedAfterAnswering(let reason) = outcome else { return }
        target.warnings.add("\(reason); a second attempt succeeded and counts")
    }

    /// Recovers `directory` in its own process, without a second attempt.
    package func recoverOnce(_ directory: ByteString) throws(TargetError) -> RecoverOutcome {
        let path = try checked(directory)
        return try runOnce(path).replacingPath(path)
    }

    private func recoverPersistently(_ path: ByteString, _ isReleased: inout Bool) throws(TargetError) -> RecoverOutcome
    {
        let process: RecoverProcess
        if let waiting = idle.withLock({ $0.popLast() }) {
            process = waiting
        } else {
            process = try clock.measure(.start) { () throws(TargetError) in try start() }
        }
        var reusable: RecoverProcess? = process
        let outcome = try withServer(on: path, at: process.endpoint) { () throws(TargetError) in
            reusable = nil
            return try ask(process, path, &isReleased, &reusable)
        }
        // Only now, when the server has freed its address.
        if let reusable { idle.withLock { $0.append(reusable) } }
        return outcome
    }

    /// - Parameter reusable: receives the process that may serve the next directory.
    private func ask(
        _ first: RecoverProcess, _ path: ByteString, _ isReleased: inout Bool, _ reusable: inout RecoverProcess?
    ) throws(TargetError) -> RecoverOutcome {
        var process = first
        if !process.request(path) {
            // It died or printed more after its last answer. It has not seen this directory.
            try process.kill()
            process = try start(at: process.endpoint)
            _ = process.request(path)
        }
        switch try process.answer(until: Deadline(afterMilliseconds: timeoutSeconds * 1000)) {
        case .dump(let recovery):
            // Read its standard error before another thread uses the process and clears it.
            let outcome = outcome(recovery, process)
            // The look into /proc costs as much as a small recovery.
            if isReleased, process.mayHold(path) { isReleased = false }
            reusable = process
            return outcome
        case .invalid(let reason):
            try process.kill()
            return .doesNotOpen(reason: reason + process.errorOutput)
        case .ended(let partial):
            return try outcomeOfEnd(process, partial, until: Deadline(afterMilliseconds: timeoutSeconds * 1000))
        case .timedOut:
            return try hang(process)
        }
    }

    private func runOnce(_ path: ByteString) throws(TargetError) -> RecoverOutcome {
        let endpoint = target.target.server == nil ? nil : try target.makeEndpoint()
        return try withServer(on: path, at: endpoint) { () throws(TargetError) in try runOnce(path, endpoint) }
    }

    private func runOnce(_ path: ByteString, _ endpoint: ServerEndpoint?) throws(TargetError) -> RecoverOutcome {
        var command = endpoint.map(target.recover(at:)) ?? target.recover
        if target.isPersistent { command.input = .pipe } else { command.environment["FAULTLINE_DIR"] = path }
        let process = try RecoverProcess(command)
        if target.isPersistent { process.requestLast(path) }
        let deadline = Deadline(afterMilliseconds: timeoutSeconds * 1000)
        switch try process.answer(until: deadline) {
        case .timedOut:
            return try hang(process)
        case .ended(let partial):
            return try outcomeOfEnd(process, partial, until: deadline)
        case .invalid(let reason):
            try process.kill()
            return .doesNotOpen(reason: reason + process.errorOutput)
        case .dump(let recovery):
            return try outcomeAlone(recovery, process, until: deadline)
        }
    }

    /// The client for a state with these links, in a directory below `directory`; usually this client.
    ///
    /// - Throws: `TargetError.leavingLink` for a state that must not be recovered.
    package func confined(for links: [EscapingLink], in directory: ByteString) throws(TargetError) -> RecoverClient {
        guard !links.isEmpty else { return self }
        if let known = confined.withLock({ $0[directory] }) { return known }
        let other = try target.confined(for: links, in: directory)
        guard other.confinement != target.confinement else { return self }
        return confined.withLock { confined in
            // Another thread may have added one.
            let client = confined[directory] ?? RecoverClient(other, timeoutSeconds: timeoutSeconds, clock: clock)
            confined[directory] = client
            return client
        }
    }

    /// Whether a process serves several directories.
    package var isPersistent: Bool { target.isPersistent }

    /// The number of recoveries that hung. Each took `timeoutSeconds`.
    package var hangCount: Int {
        hangs.load(ordering: .relaxed) + confined.withLock { $0.values.reduce(0) { $0 + $1.hangCount } }
    }

    /// Ends all idle processes.
    package func close() throws(TargetError) {
        let processes = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for process in processes { try process.kill() }
        for client in confined.withLock({ Array($0.values) }) { try client.close() }
    }

    /// - Parameter endpoint: where its servers listen; nil to make one if the target has a server.
    private func start(at known: ServerEndpoint? = nil) throws(TargetError) -> RecoverProcess {
        var endpoint = known
        if endpoint == nil, target.target.server != nil { endpoint = try target.makeEndpoint() }
        var command = endpoint.map(target.recover(at:)) ?? target.recover
        command.input = .pipe
        return try RecoverProcess(command, endpoint)
    }

    private func outcome(_ recovery: Recovery, _ process: RecoverProcess) -> RecoverOutcome {
        switch recovery {
        case .opened(let observation): .opened(observation)
        case .failed, .hung, .filesystemBroken: .doesNotOpen(reason: (recovery.failure ?? "") + process.errorOutput)
        }
    }

    /// The outcome of a process with its own directory: after its dump it must print nothing more and exit with 0.
    private func outcomeAlone(
        _ recovery: Recovery, _ process: RecoverProcess, until deadline: Deadline
    ) throws(TargetError) -> RecoverOutcome {
        switch try process.answer(until: deadline) {
        case .timedOut:
            return try hang(process)
        case .dump, .invalid, .ended(partial: .some):
            try process.kill()
            return .doesNotOpen(reason: "it prints more after the end line" + process.errorOutput)
        case .ended(partial: nil):
            guard let termination = try process.end(until: deadline) else { return try hang(process) }
            guard termination.isSuccess || !recovery.isOpened else {
                let reason = "the recovery \(termination)" + process.errorOutput
                return termination.isFromOutside
                    ? .killed(reason: reason) : .diedAfterAnswering(reason: reason + ", after it had answered")
            }
            return outcome(recovery, process)
        }
    }

    private func hang(_ process: RecoverProcess) throws(TargetError) -> RecoverOutcome {
        try process.kill()
        hangs.add(1, ordering: .relaxed)
        return .hangs(afterSeconds: timeoutSeconds)
    }

    /// The outcome of a process whose output ended before its dump was complete.
    private func outcomeOfEnd(
        _ process: RecoverProcess, _ partial: Recovery?, until deadline: Deadline
    ) throws(TargetError) -> RecoverOutcome {
        guard let termination = try process.end(until: deadline) else { return try hang(process) }
        if case .exited(let code) = termination, code == 126 || code == 127, partial == nil {
            throw .recoverNotRun(command: target.recover.arguments, code: code, said: process.errorOutput)
        }
        var reason = "the recovery \(termination)" + process.errorOutput
        if case .failed(let why) = partial { reason += "; \(why)" }
        if termination.isFromOutside { return .killed(reason: reason) }
        return .doesNotOpen(reason: termination.isSuccess ? "\(reason), without an end line" : reason)
    }

    private func checked(_ directory: ByteString) throws(TargetError) -> ByteString {
        guard !directory.bytes.contains(UInt8(ascii: "\n")) else { throw .newlineInDirectory(directory) }
        guard !directory.bytes.contains(0) else { throw .notPassable(what: "a directory with a zero byte", directory) }
        return try directory.absolutePath()
    }
}

extension Recovery {
    fileprivate var isOpened: Bool { if case .opened = self { true } else { false } }
}
