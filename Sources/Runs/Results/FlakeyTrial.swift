import Block
import Oracle

/// When a device begins to fail.
package enum FlakeyMoment: String, CaseIterable, Codable, Sendable {
    /// The workload has ended; the filesystem may not have written everything.
    case afterWorkload = "after"
    /// In the middle of the workload, which then meets the errors.
    case duringWorkload = "during"
}

/// One workload on a filesystem whose device began to fail, and what was there afterwards.
package struct FlakeyTrial: Codable, Hashable, Sendable {
    package enum Outcome: String, CaseIterable, Codable, Sendable {
        /// Everything that was promised is there.
        case kept
        /// The store broke a promise.
        case violation
        /// The filesystem does not mount, takes no write any more, or its checker complains: nothing is known of the store.
        case filesystem
        /// The device did not fail in time, or not in this way: nothing was tried.
        case notTried = "not-tried"
    }

    /// From 1.
    package var cycle: Int
    package var fault: FlakeyFault
    package var moment: FlakeyMoment
    package var outcome: Outcome
    /// Acknowledgements before the device failed.
    package var acknowledged: Int
    /// Acknowledgements while it failed.
    package var acknowledgedLater: Int
    /// What the filesystem did while its device failed: `read-write`, `read-only` or `shut down`; nil if that is not known.
    package var reaction: String?
    /// What the kernel or the filesystem's checker said, or why nothing was tried.
    package var detail: String?

    /// What became of the keys, after the store recovered; nil if it did not, or nothing was tried.
    package var keys: Keys?

    package struct Keys: Codable, Hashable, Sendable {
        /// Keys that must be there, and are, with a legal value.
        package var survived: Int
        /// Keys that must be there and are gone, or have an older value.
        package var dropped: Int
        /// Keys that must not be there.
        package var extras: Int
        /// Values that were never written to their key.
        package var mismatches: Int

        package init(_ totals: Totals) {
            (survived, dropped) = (totals.survived, totals.dropped)
            (extras, mismatches) = (totals.extras, totals.mismatches)
        }
    }

    package init(cycle: Int, _ fault: FlakeyFault, _ moment: FlakeyMoment) {
        (self.cycle, self.fault, self.moment) = (cycle, fault, moment)
        (outcome, acknowledged, acknowledgedLater) = (.notTried, 0, 0)
    }
}
