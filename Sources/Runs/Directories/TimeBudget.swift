import Platform
import Synchronization

/// The time that a run may take, shared among the parts that it still has to do: profiles, power cuts. Thread safe.
package final class TimeBudget: Sendable {
    /// When all of it is used up, on the clock of `MonotonicTime`; infinity without a limit.
    private let endSeconds: Double
    /// When the share of the present part is used up, as a bit pattern.
    private let shareEnd: Atomic<UInt64>

    package init(began: Double, seconds: Int?) {
        endSeconds = seconds.map { began + Double($0) } ?? .infinity
        shareEnd = Atomic(endSeconds.bitPattern)
    }

    /// Gives the part that begins now an equal share of what is left.
    package func share(among partCount: Int) {
        let now = MonotonicTime.seconds()
        shareEnd.store((now + (endSeconds - now) / Double(max(1, partCount))).bitPattern, ordering: .relaxed)
    }

    /// The share of the present part is used up.
    package var isUsedUp: Bool { MonotonicTime.seconds() >= Double(bitPattern: shareEnd.load(ordering: .relaxed)) }
}
