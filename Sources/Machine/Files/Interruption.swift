import Foundation
import Glibc
import Platform
import Storage
import Synchronization

/// Ctrl-C, SIGTERM and the other signals that end a process by default, handled once for the whole process, by a thread that does nothing else.
///
/// The first signal sets `isInterrupted` and runs what was registered, the latest first; then the process exits with
/// 128 and the signal's number, as shells expect. The second signal exits at once. What only finishes cleanly looks
/// at `isInterrupted` and registers a cleaner that waits for it; what must be undone registers a cleaner that undoes it,
/// before it is done.
///
/// `install` must come before any other thread is started: the signals are blocked in every thread that begins later,
/// which is how they all reach this one. Children that Faultline spawns begin with their signals unblocked.
package final class Interruption: Sendable {
    /// That of this process.
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
    /// - Parameter repeatsWithin: a signal that comes so soon after the first is the same one, sent twice: timeout(1)
    ///   signals the process and then its group.
    package init(
        say: @escaping @Sendable (String) -> Void, exit: @escaping @Sendable (Int32) -> Void,
        repeatsWithin: Duration = .zero
    ) {
        self.say = say
        self.exit = exit
        self.repeatsWithin = repeatsWithin
    }

    /// True from the first signal on. Cheap enough for every turn of a loop.
    package var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

    /// Blocks the signals in this thread and all that it will start, and waits for them in one of its own.
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
            // Better no cleaning up than a process that Ctrl-C does not end.
            withUnsafePointer(to: signals) { set in _ = pthread_sigmask(SIG_UNBLOCK, set, nil) }
        }
    }

    /// Registers what is to be done before the process exits. It runs in a thread of its own, at most once. Registering
    /// after the signal is not too late as long as other cleaners still run.
    package func register(_ cleaner: @escaping @Sendable () -> Void) -> Cleaner {
        let id = state.withLock { state in
            state.lastID += 1
            state.cleaners.append((state.lastID, cleaner))
            return state.lastID
        }
        return Cleaner(id: id, interruption: self)
    }

    /// Runs `body`, which looks at `isInterrupted` or is short: after a signal the process ends only when it has
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

    /// For whoever noticed `isInterrupted` and has finished: waits until the cleaners have ended the process. Returns
    /// only when there was no signal.
    package func waitIfInterrupted() {
        while isInterrupted { sleep(1) }
    }

    /// What a signal does. Returns at once for the first one: the cleaners run in a thread of their own, so that a
    /// second signal can end one that hangs.
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
            // What was printed so far belongs to the reader; a pipe that nobody reads is left by a second signal.
            fflush(nil)
            self.exit(128 + signal)
        }
    }

    fileprivate func remove(_ id: Int) { state.withLock { $0.cleaners.removeAll { $0.id == id } } }

    /// Every signal that ends a process unless it is handled, but for those that say that the process itself is broken
    /// (SIGSEGV, SIGABRT, …), for SIGKILL, which nobody handles, and for SIGPIPE and SIGXFSZ, which a write answers.
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

        /// There is nothing to clean any more. Does nothing if the cleaner has run or is running.
        package func cancel() { interruption.remove(id) }
    }
}
