import Model
import Oracle

/// Lets the store recover a crash state and tells what it shows. Thread safe.
package protocol StateRecoverer: Sendable {
    /// What recovering `tree` shows, twice if it opens.
    ///
    /// - Parameter isAlone: nothing may carry over from what was recovered before.
    func recover(_ tree: Tree, isAlone: Bool) throws -> RecoveredState
    /// The recovery of `tree` as a run of its own, to be crashed too; nil where that cannot be had.
    func recording(ofRecovering tree: Tree) throws -> Recording?
    /// How many states are recovered before it is asked whether to stop.
    var batchCount: Int { get }
    /// The same for trees whose data lies elsewhere.
    func reading(_ payloads: any PayloadStore) -> any StateRecoverer
}

extension StateRecoverer {
    /// Enough to keep all threads at work, and few enough for a budget to end in time.
    package var batchCount: Int { 256 }
}

/// What came of recovering one state.
package struct RecoveredState: Sendable {
    package var evidence: Evidence
    /// It was killed after the target's whole timeout.
    package var hung: Bool { evidence.recovery.isHung }

    package init(evidence: Evidence) { self.evidence = evidence }
}
