import Glibc

/// A point in time of the monotonic clock.
package struct Deadline: Sendable {
    private let nanoseconds: UInt64?

    package static let never = Deadline(nanoseconds: nil)

    private init(nanoseconds: UInt64?) { self.nanoseconds = nanoseconds }

    package init(afterMilliseconds milliseconds: Int) {
        self.init(nanoseconds: MonotonicTime.nanoseconds() &+ UInt64(max(0, milliseconds)) &* 1_000_000)
    }

    /// The timeout for poll(2): milliseconds, rounded up so that waiting never ends early; -1 for no timeout.
    package var remainingMilliseconds: Int32 {
        guard let nanoseconds else { return -1 }
        let now = MonotonicTime.nanoseconds()
        guard nanoseconds > now else { return 0 }
        return Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }

    package var hasPassed: Bool { remainingMilliseconds == 0 }

    /// Waits until a descriptor is readable or hung up (poll(2)). Returns a flag for each; all false after the
    /// deadline.
    package func waitReadable(_ descriptors: [Int32]) throws(Errno) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = poll(&polled, nfds_t(polled.count), remainingMilliseconds)
            if count > 0 { return polled.map { $0.revents != 0 } }
            if count == 0 {
                if hasPassed { return polled.map { _ in false } }
            } else if errno != EINTR {
                throw .current
            }
        }
    }
}
