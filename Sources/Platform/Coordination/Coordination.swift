/// The synchronisation primitives of code that several threads share: atomic words, locks with a condition, and time.
///
/// Code that is generic over it runs with the processor's atomics and the system's locks (`SystemCoordination`), or under a
/// scheduler that tries every interleaving (`ScheduledCoordination` of the module Schedules). For that, the primitives must
/// order all other shared mutable state of the code.
///
///     final class Counter<C: Coordination>: Sendable {
///         private let words = C.Words(count: 1, name: "counter")
///         func increase() {
///             while true {
///                 let value = words.load(0)
///                 if words.exchange(at: 0, expected: value, desired: value + 1) { return }
///             }
///         }
///     }
public protocol Coordination: Sendable {
    associatedtype Words: SharedWords
    associatedtype Gate: WaitGate

    /// Waits a little for another thread's next step; `round` counts the calls of one wait.
    static func relax(_ round: inout Int)

    /// The time of a monotonic clock in nanoseconds, for `WaitGate.wait(until:)`.
    static var nanoseconds: UInt64 { get }
}

/// A fixed number of 64-bit words, zero at first. Loads acquire and stores release.
public protocol SharedWords: AnyObject, Sendable {
    /// - Parameter name: for reports of a scheduler.
    init(count: Int, name: StaticString)
    func load(_ index: Int) -> UInt64
    func store(_ value: UInt64, at index: Int)
    /// False if the word was not `expected`; may also fail spuriously.
    func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool
    /// Adds in one atomic step, with wraparound, which acquires and releases. Returns the sum.
    @discardableResult
    func add(_ value: UInt64, at index: Int) -> UInt64

    /// Sleeps in a room of the word until a thread wakes that room, unless the word is no longer `value`. Check and sleep
    /// are atomic. May wake spuriously. Only the lower half of `value` is compared.
    func wait(at index: Int, while value: UInt64, in room: WaitRoom)
    /// Wakes one thread that sleeps in the room, if any.
    func wakeOne(at index: Int, in room: WaitRoom)
    func wakeAll(at index: Int, in room: WaitRoom)
}

extension SharedWords {
    @discardableResult
    public func add(_ value: UInt64, at index: Int) -> UInt64 {
        while true {
            let old = load(index)
            if exchange(at: index, expected: old, desired: old &+ value) { return old &+ value }
        }
    }
}

/// One of two groups of sleeping threads, which are woken separately.
public enum WaitRoom: Int, CaseIterable, Sendable {
    case even, odd

    public var other: WaitRoom { self == .even ? .odd : .even }
}

/// A lock with a condition variable.
public protocol WaitGate: AnyObject, Sendable {
    /// - Parameter name: for reports of a scheduler.
    init(name: StaticString)
    func lock()
    func unlock()
    /// Releases the lock, waits for a wakeup (possibly a spurious one) and takes the lock again.
    func wait()
    /// Like `wait`, until at most this time of `Coordination.nanoseconds`.
    func wait(until deadlineNanoseconds: UInt64)
    func wakeAll()
}

extension WaitGate {
    @inlinable
    @inline(__always)
    public func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}
