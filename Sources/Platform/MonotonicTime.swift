import Glibc

/// The clock that only goes forward (clock_gettime(2), CLOCK_MONOTONIC).
package enum MonotonicTime {
    /// Seconds since an arbitrary start, the same for every process of this machine until it boots again.
    package static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
