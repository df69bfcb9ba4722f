import Foundation
import Glibc
import Platform
import Storage
import Synchronization

/// Ctrl-C, SIGTERM and the other signals that end a process by default, handled once for the whole process, by a thread that does nothing else.
///
/// The first signal sets `isInterrupted` and runs the registered cleaners, the latest first; then the process exits
/// with 128 plus the signal number, as shells expect. A second signal exits at once. Work that must finish cleanly
/// checks `isInterrupted` and registers a cleaner that waits for it. For an effect to be undone, register the cleaner
/// that undoes it beforehand.
///
/// Call `install` before any other thread starts: later threads inherit the blocked signals, so all signals reach the
/// handling thread. Children spawned by Faultline start with signals unblocked. Thread safe.
package final class Interruption: Sendable {
    /// The instance of this process.
    package static let shared = Interruption(
        say: StandardError.say, exit: { code in _exit(code) }, repeatsWithin: .seconds(1))

    private struct State {
        var cleaners: [(id: Int, body: @Sendable () -> Void)] = []
        var lastID = 0
        var signal: Int32?
        var received: ContinuousClock.Instant?
    }

    private let state = Guarded(State())
    private let interrupted = Atomic<Bool>(false)
    private let say: @Sendable (String) -> Void
    private let exit: @Sendable (Int32) -> Void
    private let repeatsWithin: Duration

    /// - Parameter exit: ends the process; must not return except in tests.
    /// - Parameter repeatsWithin: a signal this soon after the first counts as a duplicate: timeout(1) signals the
    ///   process and then its group.
    package init(
        say: @escaping @Sendable (String) -> Void, exit: @escaping @Sendable (Int32) -> Void,
        repeatsWithin: Duration = .zero
    ) {
        self.say = say
        self.exit = exit
        self.repeatsWithin = repeatsWithin
    }

    /// Whether a signal has arrived. Cheap enough for every iteration of a loop.
    package var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    /// Blocks the signals in this thread and its future threads, and starts a thread that waits for them.
    package func install() {
        let signals = Self.signals
        withUnsafePointer(to: signals) { set in _ = pthread_sigmask(SIG_BLOCK, set, nil) }
        do throws(Errno) {
            try Platform.Thread.startDetached {
                var signals = Self.signals
                while true {
                    var signal: Int32 = 0
                    if sigwait(&signals, &signal) == 0 { self.receive(signal) }
                }
            }
        } catch {
            // Better to skip the cleanup than to ignore Ctrl-C.
            withUnsafePointer(to: signals) { set in _ = pthread_sigmask(SIG_UNBLOCK, set, nil) }
        }
    }

    /// Registers a cleaner that runs once, on another thread, before an interrupted process exits. A cleaner registered
    /// after the signal still runs if others are running.
    package func register(_ cleaner: @escaping @Sendable () -> Void) -> Cleaner {
        let id = state.withLock { state in
            state.lastID += 1
            state.cleaners.append((state.lastID, cleaner))
            return state.lastID
        }
        return Cleaner(id: id, interruption: self)
    }

    /// Runs `body`, which must check `isInterrupted` or be short: after a signal, the process ends when `body` has
    /// returned, or after 20 seconds.
    package func awaiting<Result>(_ body: () throws -> Result) rethrows -> Result {
        let ended = DispatchSemaphore(value: 0)
        let cleaner = register { _ = ended.wait(timeout: .now() + 20) }
        defer {
            ended.signal()
            cleaner.cancel()
        }
        return try body()
    }

    /// Waits for the cleaners to end the process. Call when done after `isInterrupted`. Returns only if there was no
    /// signal.
    package func waitIfInterrupted() {
        while isInterrupted { sleep(1) }
    }

    /// Handles a signal. Returns at once for the first one: the cleaners run on another thread, so that a second signal
    /// can end a hanging one.
    package func receive(_ signal: Int32) {
        let now = ContinuousClock.now
        let first: ContinuousClock.Instant? = state.withLock { state in
            if let first = state.received { return first }
            state.signal = signal
            state.received = now
            return nil
        }
        if let first {
            if now - first >= repeatsWithin { exit(128 + signal) }
            return
        }
        interrupted.store(true, ordering: .releasing)
        say("faultline: interrupted; cleaning up (again to stop at once)")
        Platform.Thread.detach {
            while let cleaner = self.state.withLock({ $0.cleaners.popLast() }) { cleaner.body() }
            UnfinishedOutputs.removeAll()
            // Flush printed output. If nobody reads the pipe, a second signal ends the process.
            fflush(nil)
            self.exit(128 + signal)
        }
    }

    fileprivate func remove(_ id: Int) { state.withLock { $0.cleaners.removeAll { $0.id == id } } }

    /// All signals that end a process by default, except those that report a broken process (SIGSEGV, SIGABRT, …),
    /// SIGKILL, which cannot be handled, and SIGPIPE and SIGXFSZ, which become errors of write(2).
    private static let ending = [
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGPOLL, SIGPWR,
        SIGSTKFLT,
    ]

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in ending { sigaddset(&set, signal) }
        return set
    }

    /// A registered cleaner.
    package struct Cleaner: Sendable {
        fileprivate let id: Int
        fileprivate let interruption: Interruption

        /// Unregisters the cleaner. Does nothing if it has run or is running.
        package func cancel() { interruption.remove(id) }
    }
}
