/// What a thread is about to do, before it does it: which objects it touches, and how. From this the search knows which
/// steps depend on each other.
struct Action: Sendable {
    enum Kind: Sendable {
        case start, load, store, exchange, add, sleep, resume, wakeOne, wakeAll
        case lock, unlock, gateWait, relock, timedRelock, gateWake
        case relax, readTime, custom
    }

    /// How a step touches an object.
    enum Mode: Sendable {
        case read, write
        /// Of a lock: it is taken. Two of these race; a release and an acquisition never do, because the lock is held.
        case acquire
        case release
    }

    struct Access: Sendable {
        var object: Int
        var mode: Mode
    }

    var kind: Kind
    var accesses: [Access]
    /// Whether other threads may notice a change, so that a thread that waits in a loop looks again.
    var changes = false

    /// Whether the order of the two steps of different threads matters.
    func isDependent(on other: Action) -> Bool {
        if kind == .relax, other.changes { return true }
        if other.kind == .relax, changes { return true }
        // A wait ends by time once more only after a change.
        if kind == .timedRelock, other.changes { return true }
        if other.kind == .timedRelock, changes { return true }
        for one in accesses {
            for two in other.accesses where one.object == two.object {
                if one.mode != .read || two.mode != .read { return true }
            }
        }
        return false
    }
}

/// A step that was taken.
struct Event: Sendable {
    var thread: Int
    /// Its number among the steps of its thread, from 1.
    var number: UInt32
    var action: Action
    /// The outcome that was chosen; 0 is the usual one.
    var choice: Int
    /// Everything that happened before, and the step itself.
    var clock: VectorClock
    /// The position of its decision in the search; nil if there was nothing to decide.
    var decision: Int?
    /// Whether a scheduler that avoids switches and surprises would have done the same.
    var isDefault: Bool
}
