import Platform
import Synchronization

/// A run's time limit, divided among its remaining parts (profiles, power cuts). Thread safe.
package final class TimeBudget: Sendable {
    /// The deadline of the run, on the clock of `MonotonicTime`; infinity without a limit.
    private let endSeconds: Double
    /// The deadline of the current part, as the bit pattern of a Double.
    private let shareEnd: Atomic<UInt64>

    package init(began: Double, seconds: Int?) {
        endSeconds = seconds.map { began + Double($0) } ?? .infinity
        shareEnd = Atomic(endSeconds.bitPattern)
    }

    /// Starts a part with an equal share of the remaining time.
    package func share(among partCount: Int) {
        let now = MonotonicTime.seconds()
        shareEnd.store((now + (endSeconds - now) / Double(max(1, partCount))).bitPattern, ordering: .relaxed)
    }

    /// Whether the current part's share is used up.
    package var isUsedUp: Bool { MonotonicTime.seconds() >= Double(bitPattern: shareEnd.load(ordering: .relaxed)) }
}
