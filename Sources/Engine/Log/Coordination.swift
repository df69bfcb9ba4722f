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
}

/// A lock, and rooms to wait in.
protocol WaitGate: Sendable {
    init()
    func lock()
    func unlock()
    /// Lets go of the lock, waits until someone wakes this room (or less) and takes the lock again.
    func wait(in room: WaitRoom)
    /// Wakes one who waits in the room, if anyone does.
    func wakeOne(in room: WaitRoom)
    func wakeAll(in room: WaitRoom)
}

/// Where a thread waits, so that not everyone is woken for what concerns a few.
enum WaitRoom: Int, CaseIterable, Sendable {
    case lobby
    /// For two groups of syncs that take turns: see `SyncGroups`.
    case even, odd

    static let count = allCases.count
}

extension WaitGate {
    func wait() { wait(in: .lobby) }
    func wakeAll() { for room in WaitRoom.allCases { wakeAll(in: room) } }

    @inline(__always)
    func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}
