import CPlatform
import Glibc
import Platform
import Synchronization

/// Atomics of the processor, and the mutex and condition variable of the system.
enum SystemCoordination: Coordination {
    typealias Words = SystemWords
    typealias Gate = SystemGate

    @inline(never)
    static func relax(_ round: inout Int) {
        round += 1
        // The wait is usually for a copy of a few hundred bytes: spin for a short time, then yield.
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

package final class SystemGate: WaitGate {
    private let mutex = Lock()
    private let condition = Condition()

    package init() {}

    package func lock() { mutex.lock() }
    package func unlock() { mutex.unlock() }
    package func wait() { condition.wait(mutex) }
    package func wakeAll() { condition.wakeAll() }

    /// Waits until at most this time of `MonotonicTime`, in nanoseconds.
    package func wait(until deadlineNanoseconds: UInt64) { condition.wait(mutex, until: deadlineNanoseconds) }
}
