import Glibc

/// A moment on the monotonic clock until which something may take.
struct Deadline: Sendable {
    private let nanoseconds: UInt64?

    static let never = Deadline(nanoseconds: nil)

    private init(nanoseconds: UInt64?) { self.nanoseconds = nanoseconds }

    init(afterMilliseconds milliseconds: Int) {
        self.init(nanoseconds: Deadline.now &+ UInt64(max(0, milliseconds)) &* 1_000_000)
    }

    /// What poll(2) takes: milliseconds, rounded up so that waiting never ends early; -1 for ever.
    var remainingMilliseconds: Int32 {
        guard let nanoseconds else { return -1 }
        let now = Deadline.now
        guard nanoseconds > now else { return 0 }
        return Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }

    var hasPassed: Bool { remainingMilliseconds == 0 }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// Waits until one of `descriptors` can be read or has hung up. Returns which, in order; all false when the deadline
/// passed first.
func waitReadable(_ descriptors: [Int32], until deadline: Deadline) throws(TargetError) -> [Bool] {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
        let count = poll(&polled, nfds_t(polled.count), deadline.remainingMilliseconds)
        if count > 0 { return polled.map { $0.revents != 0 } }
        if count == 0 {
            if deadline.hasPassed { return polled.map { _ in false } }
        } else if errno != EINTR {
            throw .system("poll")
        }
    }
}
