import Glibc

/// The clock of the event view for arrival times, the duplicate window and checkpoints.
///
/// It must continue across restarts, like the wall clock, because arrival times are stored. If it jumps, the window jumps with
/// it: an original counts while its arrival and now differ by at most the window, in either direction.
///
/// Threads: called concurrently, under a lock of the store. It must not call the store.
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
