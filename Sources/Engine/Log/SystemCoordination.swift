import CPlatform
import Glibc
import Synchronization

/// The processor's atomics and the system's mutex and condition.
enum SystemCoordination: Coordination {
    typealias Words = SystemWords
    typealias Gate = SystemGate

    @inline(never)
    static func relax(_ round: inout Int) {
        round += 1
        // What is waited for is a copy of a few hundred bytes: worth a short spin, then the processor goes to others.
        if round > 64 { sched_yield() }
    }
}

final class SystemWords: SharedWords {
    private nonisolated(unsafe) let base: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    init(count: Int) {
        self.count = count
        base = .allocate(capacity: count)
        for index in 0..<count { (base + index).initialize(to: Atomic(0)) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    @inline(__always)
    func load(_ index: Int) -> UInt64 { base[index].load(ordering: .acquiring) }

    @inline(__always)
    func store(_ value: UInt64, at index: Int) { base[index].store(value, ordering: .releasing) }

    @inline(__always)
    func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool {
        base[index].weakCompareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing)
            .exchanged
    }

    func wait(at index: Int, while value: UInt64, in room: WaitRoom) {
        faultline_futex_wait(base + index, value, Self.bit(room))
    }

    func wakeOne(at index: Int, in room: WaitRoom) { faultline_futex_wake(base + index, 1, Self.bit(room)) }
    func wakeAll(at index: Int, in room: WaitRoom) { faultline_futex_wake(base + index, .max, Self.bit(room)) }

    private static func bit(_ room: WaitRoom) -> UInt32 { 1 << UInt32(room.rawValue) }
}

final class SystemGate: WaitGate {
    private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // The wall clock may be set while someone waits.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let failures = pthread_mutex_init(mutex, nil) | pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        precondition(failures == 0, "a plain mutex and a plain condition can always be made")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }
    func wakeAll() { pthread_cond_broadcast(condition) }

    /// Waits, but no longer than until a time of the monotonic clock, in nanoseconds.
    func wait(until deadlineNanoseconds: UInt64) {
        var time = timespec(
            tv_sec: Int(clamping: deadlineNanoseconds / 1_000_000_000),
            tv_nsec: Int(deadlineNanoseconds % 1_000_000_000))
        pthread_cond_timedwait(condition, mutex, &time)
    }

    /// The monotonic clock, in nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
