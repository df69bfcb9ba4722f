import Model
import Oracle

/// Recovers a crash state with the store and returns the evidence. Thread safe.
package protocol StateRecoverer: Sendable {
    /// Recovers `tree`, twice if it opens.
    ///
    /// - Parameter inFreshProcess: no data may carry over from earlier recoveries.
    func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState
    /// Records the recovery of `tree`, so that it can be crashed too; nil if that is not supported.
    func recording(ofRecovering tree: Tree) throws -> Recording?
    /// The number of states to recover between two checks whether to stop.
    var batchCount: Int { get }
    /// The same recoverer for trees with other payloads.
    func reading(_ payloads: any PayloadStore) -> any StateRecoverer
}

extension StateRecoverer {
    /// Enough for all threads, and few enough to keep a time budget.
    package var batchCount: Int { 256 }
}

/// The result of recovering one state.
package struct RecoveredState: Sendable {
    package var evidence: Evidence
    /// Whether it was killed after the target's timeout.
    package var hung: Bool { evidence.recovery.isHung }

    package init(evidence: Evidence) { self.evidence = evidence }
}
