import Bytes
import CPlatform
import Glibc
import Platform

/// A child process with all its descendants.
///
/// Always call `killTree` at the end, even after it has exited, since it may have left daemons. Thread safe; several
/// threads may wait for it.
package final class ChildProcess: Sendable {
    package let processID: Int32
    let serial: UInt64
    let processDescriptor: SharedDescriptor
    /// Raised when the process has ended, is reaped, and its orphans are claimed.
    let exited: OneWayFlag
    /// The writing end of its standard input, if that is a pipe.
    let input: SharedDescriptor?
    /// The reading end of its standard output, if that is a pipe.
    let output: SharedDescriptor?
    /// The reading end of its standard error, used only by the keeper.
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

    /// How long a killed process may take to end.
    private static let patienceMilliseconds = 10_000

    /// How it ended; nil while it is running.
    package var termination: Termination? { ending.withLock { $0.termination } }

    /// The first and last bytes of its standard error since `forgetErrors`.
    package var standardError: ByteString { ByteString(captured.withLock { $0.bytes }) }

    package func forgetErrors() {
        drainErrors()
        captured.withLock { $0 = BoundedCapture() }
    }

    /// Reads its standard error up to now, so that `standardError` has everything that it wrote before an observed
    /// action.
    package func drainErrors() { captured.withLock { _ = takeErrors(&$0) } }

    /// Waits until it ends, or until the timeout; then returns nil, and it keeps running.
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

    /// Waits until it ends or the timeout, then kills it and all its descendants.
    package func waitOrKill(timeoutMilliseconds: Int) throws(TargetError) -> Termination {
        let termination = try wait(timeoutMilliseconds: timeoutMilliseconds)
        try killTree()
        return termination ?? .timedOut
    }

    /// Signals its process group, unless it has ended.
    package func signal(_ number: Int32) {
        // The lock prevents reaping, so that the group id cannot be reused meanwhile.
        ending.withLock { ending in
            if ending.termination == nil { kill(-processID, number) }
        }
    }

    /// Signals the process and not its descendants, unless it has ended.
    func signalAlone(_ number: Int32) {
        ending.withLock { ending in
            if ending.termination == nil { kill(processID, number) }
        }
    }

    /// The daemons that it left, with their ids. None while it runs: they are below it then.
    func orphans() throws(TargetError) -> [Int32] {
        guard termination != nil else { return [] }
        return try keeper.family.withLock { family throws(TargetError) in try family.liveOrphans(of: serial) }
    }

    /// Kills it and all its descendants, including those in other groups or sessions and orphaned ones, and waits until
    /// they are dead. Its own group is killed with one signal, so that no member sees another one die.
    ///
    /// - Parameter afterSignal: called after its group was signalled, to release processes that block uninterruptibly.
    /// - Throws: `notKilled` when they are not dead within 10 s.
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

    /// Whether the keeper is done with it.
    var isFinished: Bool { termination != nil && (errors?.rawValue ?? -1) < 0 }

    /// Reads its standard error, and closes it at the end of the stream.
    func drainErrorsToTheEnd() {
        captured.withLock { if takeErrors(&$0) { errors?.close() } }
    }

    /// True at the end of the stream. Under the lock, so that no thread reads a closed descriptor.
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

    /// Reaps it. False if it has not ended.
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
