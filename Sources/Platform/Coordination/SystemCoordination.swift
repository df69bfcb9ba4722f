import CPlatform
import Glibc
import Synchronization

/// Atomics of the processor, and the mutex and condition variable of the system.
public enum SystemCoordination: Coordination {
    public typealias Words = SystemWords
    public typealias Gate = SystemGate

    @inline(never)
    public static func relax(_ round: inout Int) {
        round += 1
        // The wait is usually for a copy of a few hundred bytes: spin for a short time, then yield.
        if round > 64 { sched_yield() }
    }

    public static var nanoseconds: UInt64 { MonotonicTime.nanoseconds() }
}

/// Words of the processor. Threads sleep on them with futex(2).
public final class SystemWords: SharedWords {
    @usableFromInline nonisolated(unsafe) let base: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    public init(count: Int, name: StaticString) {
        self.count = count
        base = .allocate(capacity: count)
        for index in 0..<count { (base + index).initialize(to: Atomic(0)) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    @inlinable
    @inline(__always)
    public func load(_ index: Int) -> UInt64 { base[index].load(ordering: .acquiring) }

    @inlinable
    @inline(__always)
    public func store(_ value: UInt64, at index: Int) { base[index].store(value, ordering: .releasing) }

    @inlinable
    @inline(__always)
    public func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool {
        base[index].weakCompareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing)
            .exchanged
    }

    @inlinable
    @inline(__always)
    @discardableResult
    public func add(_ value: UInt64, at index: Int) -> UInt64 {
        base[index].wrappingAdd(value, ordering: .acquiringAndReleasing).newValue
    }

    public func wait(at index: Int, while value: UInt64, in room: WaitRoom) {
        faultline_futex_wait(base + index, value, Self.bit(room))
    }

    public func wakeOne(at index: Int, in room: WaitRoom) { faultline_futex_wake(base + index, 1, Self.bit(room)) }
    public func wakeAll(at index: Int, in room: WaitRoom) { faultline_futex_wake(base + index, .max, Self.bit(room)) }

    private static func bit(_ room: WaitRoom) -> UInt32 { 1 << UInt32(room.rawValue) }
}

/// A lock and a condition variable of the system.
public final class SystemGate: WaitGate {
    @usableFromInline let mutex = Lock()
    private let condition = Condition()

    public init(name: StaticString) {}

    @inlinable
    @inline(__always)
    public func lock() { mutex.lock() }

    @inlinable
    @inline(__always)
    public func unlock() { mutex.unlock() }

    public func wait() { condition.wait(mutex) }
    public func wait(until deadlineNanoseconds: UInt64) { condition.wait(mutex, until: deadlineNanoseconds) }
    public func wakeAll() { condition.wakeAll() }
}
