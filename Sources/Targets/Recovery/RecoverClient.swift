import Bytes
import Model
import Oracle
import Platform
import Synchronization

/// Recovers directories with a target's recover command and says what the store held.
///
/// With a persistent recover command a process serves one directory after another, which is what makes thousands of
/// states a second possible. A process is used by one thread at a time; there are as many as threads that ask at once,
/// and they are kept for the next. One that dies or hangs is replaced, and that is the outcome for its directory only.
///
/// A persistent process may carry something over from one state to the next. What it finds wrong has to be confirmed
/// by `recoverAlone`.
///
/// Thread safe. `close` ends the processes; so does the last reference.
package final class RecoverClient: Sendable {
    private let target: ConfiguredTarget
    private let timeoutSeconds: Int
    private let idle = Guarded<[RecoverProcess]>([])
    /// Clients that are confined to a directory, for states that may not be recovered by this one.
    private let confined = Guarded<[ByteString: RecoverClient]>([:])
    private let hangs = Atomic<Int>(0)

    package init(_ target: ConfiguredTarget, timeoutSeconds: Int? = nil) {
        self.target = target
        self.timeoutSeconds = timeoutSeconds ?? target.target.timeoutSeconds
    }

    /// Recovers `directory`, through a persistent process if the target has such a command. The recovery changes the
    /// directory. What it says of the directory names it `.`.
    ///
    /// - Throws: `TargetError` when recovery could not be tried at all, which says nothing about the store.
    package func recover(_ directory: ByteString) throws(TargetError) -> RecoverOutcome {
        var isReleased = true
        return try recover(directory, releasing: &isReleased)
    }

    /// The same, and reports whether the directory may be used again.
    ///
    /// - Parameter isReleased: set to false if a process that is still alive may have something in the directory open.
    package func recover(
        _ directory: ByteString, releasing isReleased: inout Bool
    ) throws(TargetError) -> RecoverOutcome {
        let path = try checked(directory)
        guard target.isPersistent else { return try runOnce(path).naming(path) }
        return try recoverInTurn(path, &isReleased).naming(path)
    }

    /// Recovers `directory` in a process that does nothing else; once more where that was killed from outside, or died after
    /// it had answered, which is remarked if it does not happen again.
    ///
    /// - Parameter restore: called before the second time, to put back what the first has changed.
    package func recoverAlone(
        _ directory: ByteString, restoring restore: () throws -> Void = {}
    ) throws -> RecoverOutcome {
        let first = try recoverOnce(directory)
        guard first.needsRepeating else { return first }
        try restore()
        let second = try recoverOnce(directory)
        if case .opened = second { remark(on: first) }
        return second
    }

    /// Notes what did not happen again.
    package func remark(on outcome: RecoverOutcome) {
        guard case .diedAfterAnswering(let reason) = outcome else { return }
        target.remarks.note("\(reason); tried again it ended well, and that counts")
    }

    /// The same, once, whatever ends it.
    package func recoverOnce(_ directory: ByteString) throws(TargetError) -> RecoverOutcome {
        let path = try checked(directory)
        return try runOnce(path).naming(path)
    }

    private func recoverInTurn(_ path: ByteString, _ isReleased: inout Bool) throws(TargetError) -> RecoverOutcome {
        let command = target.recover
        var process: RecoverProcess
        if let waiting = idle.withLock({ $0.popLast() }) { process = waiting } else { process = try start(command) }
        if !process.ask(path) {
            // It died, or went on talking, after it had answered for another directory; it has not seen this one.
            try process.kill()
            process = try start(command)
            _ = process.ask(path)
        }
        switch try process.answer(until: Deadline(afterMilliseconds: timeoutSeconds * 1000)) {
        case .dump(let recovery):
            // What it said belongs to this outcome; the next thread to take it makes it forget that.
            let outcome = outcome(recovery, process)
            if process.mayHold(path) { isReleased = false }
            idle.withLock { $0.append(process) }
            return outcome
        case .garbage(let reason):
            try process.kill()
            return .doesNotOpen(reason: reason + process.complaints)
        case .over(let unfinished):
            return try outcomeOfEnd(process, unfinished, until: Deadline(afterMilliseconds: timeoutSeconds * 1000))
        case .late:
            return try hang(process)
        }
    }

    private func runOnce(_ path: ByteString) throws(TargetError) -> RecoverOutcome {
        var command = target.recover
        if target.isPersistent { command.input = .pipe } else { command.environment["FAULTLINE_DIR"] = path }
        let process = try RecoverProcess(command)
        if target.isPersistent { process.askOnly(path) }
        let deadline = Deadline(afterMilliseconds: timeoutSeconds * 1000)
        switch try process.answer(until: deadline) {
        case .late:
            return try hang(process)
        case .over(let unfinished):
            return try outcomeOfEnd(process, unfinished, until: deadline)
        case .garbage(let reason):
            try process.kill()
            return .doesNotOpen(reason: reason + process.complaints)
        case .dump(let recovery):
            return try outcomeAlone(recovery, process, until: deadline)
        }
    }

    /// The client for a state that holds these links, in a directory within `directory`; most often this one.
    ///
    /// - Throws: `TargetError.leavingLink` for a state that may not be recovered.
    package func confined(for links: [EscapingLink], in directory: ByteString) throws(TargetError) -> RecoverClient {
        guard !links.isEmpty else { return self }
        if let known = confined.withLock({ $0[directory] }) { return known }
        let other = try target.confined(for: links, in: directory)
        guard other.confinement != target.confinement else { return self }
        return confined.withLock { confined in
            // Another thread may have come first.
            let client = confined[directory] ?? RecoverClient(other, timeoutSeconds: timeoutSeconds)
            confined[directory] = client
            return client
        }
    }

    /// Whether a process serves many directories.
    package var isPersistent: Bool { target.isPersistent }

    /// How many recoveries hung so far. Each cost `timeoutSeconds`.
    package var hangCount: Int {
        hangs.load(ordering: .relaxed) + confined.withLock { $0.values.reduce(0) { $0 + $1.hangCount } }
    }

    /// Ends every process that is not at work.
    package func close() throws(TargetError) {
        let processes = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for process in processes { try process.kill() }
        for client in confined.withLock({ Array($0.values) }) { try client.close() }
    }

    private func start(_ command: Command) throws(TargetError) -> RecoverProcess {
        var command = command
        command.input = .pipe
        return try RecoverProcess(command)
    }

    private func outcome(_ recovery: Recovery, _ process: RecoverProcess) -> RecoverOutcome {
        switch recovery {
        case .opened(let observation): .opened(observation)
        case .failed, .hung, .filesystemBroken: .doesNotOpen(reason: (recovery.failure ?? "") + process.complaints)
        }
    }

    /// After its one dump, a process has nothing more to say, and ends well.
    private func outcomeAlone(
        _ recovery: Recovery, _ process: RecoverProcess, until deadline: Deadline
    ) throws(TargetError) -> RecoverOutcome {
        switch try process.answer(until: deadline) {
        case .late:
            return try hang(process)
        case .dump, .garbage, .over(unfinished: .some):
            try process.kill()
            return .doesNotOpen(reason: "it prints more after the end line" + process.complaints)
        case .over(unfinished: nil):
            guard let termination = try process.end(until: deadline) else { return try hang(process) }
            guard termination.isSuccess || !recovery.isOpened else {
                let reason = "the recovery \(termination)" + process.complaints
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

    /// The process stopped talking before its dump was whole.
    private func outcomeOfEnd(
        _ process: RecoverProcess, _ unfinished: Recovery?, until deadline: Deadline
    ) throws(TargetError) -> RecoverOutcome {
        guard let termination = try process.end(until: deadline) else { return try hang(process) }
        if case .exited(let code) = termination, code == 126 || code == 127, unfinished == nil {
            throw .recoverNotRun(command: target.recover.arguments, code: code, said: process.complaints)
        }
        var reason = "the recovery \(termination)" + process.complaints
        if case .failed(let why) = unfinished { reason += "; \(why)" }
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
