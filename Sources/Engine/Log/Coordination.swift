/// Everything in which threads of the log meet: shared words, and a lock with a condition.
///
/// The log is generic over it, so that a scheduler can stand in for the system's own and try every interleaving. The log
/// shares nothing else that changes, except what these order.
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
    /// False when the word was not `expected`, and sometimes for no reason.
    func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool

    /// Sleeps in a room of the word until someone wakes that room, unless the word is no longer `value`: the two are one
    /// step. It may return sooner, for no reason. Of `value`, the lower half tells it from what the word becomes meanwhile.
    func wait(at index: Int, while value: UInt64, in room: WaitRoom)
    /// Wakes one who sleeps in the room, if anyone does.
    func wakeOne(at index: Int, in room: WaitRoom)
    func wakeAll(at index: Int, in room: WaitRoom)
}

/// Where a thread sleeps, so that not everyone is woken for what concerns a few: two groups take turns.
enum WaitRoom: Int, CaseIterable, Sendable {
    case even, odd

    var other: WaitRoom { self == .even ? .odd : .even }
}

/// A lock, and a condition to wait for.
package protocol WaitGate: Sendable {
    init()
    func lock()
    func unlock()
    /// Lets go of the lock, waits until someone wakes all (or less) and takes the lock again.
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
