import Glibc

/// The clock by which the event view says when an event arrived: the duplicate window and checkpoints go by it.
///
/// It must go on across restarts, as the wall clock does, because arrival times are stored. Where it jumps, the window
/// jumps with it: an original counts as long as its arrival and now are no further apart than the window, in either
/// direction.
///
/// Threads: called from many at once, under a lock of the store's; it must not call the store.
public protocol EventClock: Sendable {
    /// Nanoseconds since 1970.
    var now: UInt64 { get }
}

/// The system's wall clock (CLOCK_REALTIME).
public struct WallClock: EventClock {
    public init() {}

    public var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
