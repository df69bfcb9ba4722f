import Glibc

/// The monotonic clock (clock_gettime(2), CLOCK_MONOTONIC). It is the same in all processes of the machine.
package enum MonotonicTime {
    /// Nanoseconds since an arbitrary start.
    package static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Seconds since the same start.
    package static func seconds() -> Double { Double(nanoseconds()) / 1e9 }
}

extension timespec {
    /// A time of the monotonic clock.
    package init(monotonicNanoseconds nanoseconds: UInt64) {
        self.init(
            tv_sec: Int(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
