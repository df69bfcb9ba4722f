/// The synchronisation primitives of the log: atomic words, and a lock with a condition.
///
/// The log is generic over it, so that a test scheduler can try every interleaving. All other shared mutable state is
/// ordered by these primitives.
protocol Coordination: Sendable {
    associatedtype Words: SharedWords
    associatedtype Gate: WaitGate

    /// Waits a little for another thread's next step; `round` counts the calls of one wait.
    static func relax(_ round: inout Int)
}

/// A fixed number of 64-bit words, zero at first. Loads acquire and stores release.
protocol SharedWords: Sendable {
    init(count: Int)
    func load(_ index: Int) -> UInt64
    func store(_ value: UInt64, at index: Int)
    /// False if the word was not `expected`; may also fail spuriously.
    func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool

    /// Sleeps in a room of the word until a thread wakes that room, unless the word is no longer `value`. Check and sleep
    /// are atomic. May wake spuriously. Only the lower half of `value` is compared.
    func wait(at index: Int, while value: UInt64, in room: WaitRoom)
    /// Wakes one thread that sleeps in the room, if any.
    func wakeOne(at index: Int, in room: WaitRoom)
    func wakeAll(at index: Int, in room: WaitRoom)
}

/// One of two groups of sleeping threads, which are woken separately.
enum WaitRoom: Int, CaseIterable, Sendable {
    case even, odd

    var other: WaitRoom { self == .even ? .odd : .even }
}

/// A lock with a condition variable.
package protocol WaitGate: Sendable {
    init()
    func lock()
    func unlock()
    /// Releases the lock, waits for a wakeup (possibly a spurious one) and takes the lock again.
    func wait()
    func wakeAll()
}

extension WaitGate {
    @inlinable
    @inline(__always)
    package func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}
