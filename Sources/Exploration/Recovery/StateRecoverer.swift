import Model
import Oracle

/// Recovers a crash state with the store and returns the evidence. Thread safe.
package protocol StateRecoverer: Sendable {
    /// Recovers `tree`, twice if it opens.
    ///
    /// - Parameter inFreshProcess: no data may carry over from earlier recoveries.
    func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState
    /// Whether `recoverNotingReads` tells everything that recoveries read.
    var notesReads: Bool { get }
    /// Recovers `tree`, twice if it opens, and notes what both recoveries read of it, unless that cannot be seen.
    func recoverNotingReads(_ tree: Tree) throws -> RecoveredState
    /// Records the recovery of `tree`, so that it can be crashed too; nil if that is not supported.
    func recording(ofRecovering tree: Tree) throws -> Recording?
    /// The number of states to recover between two checks whether to stop.
    var batchCount: Int { get }
    /// The same recoverer for trees with other payloads.
    func reading(_ payloads: any PayloadStore) -> any StateRecoverer
}

extension StateRecoverer {
    package var notesReads: Bool { false }
    package func recoverNotingReads(_ tree: Tree) throws -> RecoveredState {
        try recover(tree, inFreshProcess: false)
    }

    /// Enough for all threads, and few enough to keep a time budget.
    package var batchCount: Int { 256 }
}

/// The result of recovering one state.
package struct RecoveredState: Sendable {
    package var evidence: Evidence
    /// Whether it was killed after the target's timeout.
    package var hung: Bool { evidence.recovery.isHung }

    /// What was read of the state before it was changed, in order; nil if that is not known.
    package var reads: [Read]?

    package init(evidence: Evidence, reads: [Read]? = nil) {
        self.evidence = evidence
        self.reads = reads
    }
}
