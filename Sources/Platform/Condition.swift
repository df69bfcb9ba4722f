import Glibc

/// A condition variable for use with `Lock`. Wake-ups may be spurious: callers check their condition in a loop.
package final class Condition: @unchecked Sendable {
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // The wall clock may be changed during a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let failure = pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        precondition(failure == 0, "a plain condition can always be made")
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Releases the lock, waits, and takes the lock again.
    package func wait(_ lock: Lock) { pthread_cond_wait(condition, lock.mutex) }

    /// Like `wait`, until `MonotonicTime` reaches a deadline.
    package func wait(_ lock: Lock, until deadlineNanoseconds: UInt64) {
        var end = timespec(monotonicNanoseconds: deadlineNanoseconds)
        pthread_cond_timedwait(condition, lock.mutex, &end)
    }

    /// Like `wait`, with a timeout.
    package func wait(_ lock: Lock, atMostMilliseconds milliseconds: Int) {
        wait(lock, until: MonotonicTime.nanoseconds() &+ UInt64(max(0, milliseconds)) &* 1_000_000)
    }

    package func wakeOne() { pthread_cond_signal(condition) }
    package func wakeAll() { pthread_cond_broadcast(condition) }
}
