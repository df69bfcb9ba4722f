import Bytes
import CPlatform
import Glibc
import Platform

/// A process that was started here, and everything that it starts.
///
/// Whoever starts it ends it: `killTree` belongs at the end of its use even when it has exited, since a daemon of its
/// may live on. Thread safe; several threads may wait for it.
package final class ChildProcess: Sendable {
    package let processID: Int32
    let serial: UInt64
    let processDescriptor: SharedDescriptor
    /// Raised when it has ended, been reaped, and what it left behind has been claimed.
    let exited: OneWayFlag
    /// Writes to its standard input, if that is a pipe.
    let input: SharedDescriptor?
    /// Reads its standard output, if that is a pipe.
    let output: SharedDescriptor?
    /// Its standard error, for the keeper alone.
    let errors: SharedDescriptor?

    private let keeper: ProcessKeeper
    private let ending = Guarded<(termination: Termination?, failure: TargetError?)>((nil, nil))
    private let captured = Guarded(BoundedCapture())

    init(
        serial: UInt64, processID: pid_t, processDescriptor: SharedDescriptor, exited: OneWayFlag,
        input: SharedDescriptor?,
        output: SharedDescriptor?, errors: SharedDescriptor?, keeper: ProcessKeeper
    ) {
        self.serial = serial
        self.processID = processID
        self.processDescriptor = processDescriptor
        self.exited = exited
        self.input = input
        self.output = output
        self.errors = errors
        self.keeper = keeper
    }

    /// How long the kernel gets to end a killed process before that is an error.
    private static let patienceMilliseconds = 10_000

    /// How it ended; nil while it runs.
    package var termination: Termination? { ending.withLock { $0.termination } }

    /// What it said on its standard error since `forgetErrors`: the beginning and the end of it.
    package var standardError: ByteString { ByteString(captured.withLock { $0.bytes }) }

    package func forgetErrors() {
        drainErrors()
        captured.withLock { $0 = BoundedCapture() }
    }

    /// Takes what its standard error holds at this moment: `standardError` then has everything that it said before
    /// something else that it did.
    package func drainErrors() { captured.withLock { _ = takeErrors(&$0) } }

    /// Waits for it to end, for ever when no time is given. Returns nil when the time passed first; it then runs on.
    package func wait(timeoutMilliseconds: Int? = nil) throws(TargetError) -> Termination? {
        try wait(until: timeoutMilliseconds.map(Deadline.init(afterMilliseconds:)) ?? .never)
    }

    private func hasExited(by deadline: Deadline) throws(TargetError) -> Bool {
        try TargetError.naming("poll") { () throws(Errno) in try exited.wait(until: deadline) }
    }

    func wait(until deadline: Deadline) throws(TargetError) -> Termination? {
        guard try hasExited(by: deadline) else { return nil }
        let ending = ending.withLock { $0 }
        if let failure = ending.failure { throw failure }
        return ending.termination
    }

    /// Waits for it to end, and kills it with everything below it when it does not in time. Whatever it left running
    /// is killed in either case.
    package func waitOrKill(timeoutMilliseconds: Int) throws(TargetError) -> Termination {
        let termination = try wait(timeoutMilliseconds: timeoutMilliseconds)
        try killTree()
        return termination ?? .timedOut
    }

    /// Sends a signal to its process group, unless it has ended.
    package func signal(_ number: Int32) {
        // Under the lock it cannot be reaped meanwhile, so the group's id cannot mean another.
        ending.withLock { ending in
            if ending.termination == nil { kill(-processID, number) }
        }
    }

    /// Kills it and all its descendants, those that left its group, its session or its parents included, and returns
    /// when they are dead. Its own group dies in one step, so that no member sees another one killed.
    ///
    /// - Parameter afterSignal: called when its group was told to die; frees what may wait where no signal reaches it.
    /// - Throws: `notKilled` when the kernel does not end them within 10 s.
    package func killTree(afterSignal: () -> Void = {}) throws(TargetError) {
        let deadline = Deadline(afterMilliseconds: ChildProcess.patienceMilliseconds)
        if termination == nil {
            try keeper.family.withLock { family throws(TargetError) in
                try family.note(root: processID, serial: serial)
            }
        }
        signal(SIGKILL)
        afterSignal()
        guard try hasExited(by: deadline) else { throw .notKilled(processes: [processID]) }
        while true {
            let dying = try keeper.family.withLock { family throws(TargetError) in
                try family.killOrphans(of: serial)
            }
            guard let first = dying.first else { return }
            let hasEnded = try TargetError.naming("poll") { () throws(Errno) in
                try deadline.waitReadable([first.rawValue])[0]
            }
            guard hasEnded else {
                throw .notKilled(processes: keeper.family.withLock { $0.orphans(of: serial) })
            }
        }
    }

    // MARK: - For the keeper

    /// True when the keeper has nothing left to do for it.
    var isFinished: Bool { termination != nil && (errors?.rawValue ?? -1) < 0 }

    /// Takes what its standard error holds, and closes it at its end.
    func drainErrorsToTheEnd() {
        captured.withLock { if takeErrors(&$0) { errors?.close() } }
    }

    /// True at the end. Under the lock, so that nobody reads while the descriptor closes.
    private func takeErrors(_ captured: inout BoundedCapture) -> Bool {
        guard let errors, errors.rawValue >= 0 else { return true }
        return withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            while true {
                let count = read(errors.rawValue, buffer.baseAddress, buffer.count)
                if count > 0 {
                    captured.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 || errno != EINTR {
                    return count == 0 || errno != EAGAIN
                }
            }
        }
    }

    /// Reaps it if it has ended.
    func reap() -> Bool {
        ending.withLock { ending in
            let exit = faultline_reap(processDescriptor.rawValue)
            if exit.reaped == 0 { return false }
            if exit.reaped < 0 { ending.failure = .system(call: "waitid", path: nil, errno: exit.error) }
            ending.termination = exit.signalled == 1 ? .signalled(exit.code) : .exited(code: exit.code)
            return true
        }
    }

    func noteFailure(_ failure: TargetError) { ending.withLock { $0.failure = failure } }
}
