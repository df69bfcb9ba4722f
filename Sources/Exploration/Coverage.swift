import Bytes

/// How many of the possible crash states were checked.
package struct Coverage: Sendable {
    /// The epochs of the trace: stretches between two barriers or oracle lines.
    package var epochs = 0
    package var exhaustedEpochs = 0
    /// The most unsynced changes in an epoch.
    package var mostAtoms = 0
    /// The epochs with too many states for an exhaustive walk.
    package var searched: [Bound] = []
    package var limits: ExplorationLimits
    /// Why the exploration stopped early; nil if it did not.
    package var stopped: String?
    /// Whether the extreme states of every epoch were checked: all unsynced changes lost, and all kept.
    package var hasCheckedExtremes = false
    package var counts = ExplorationCounts()

    /// An epoch with a bounded search instead of an exhaustive walk.
    package struct Bound: Hashable, Sendable, Codable {
        /// The crash point at the end of the epoch.
        package var event: Int
        /// The number of unsynced changes. Without order among them there are two to this power of states.
        package var atoms: Int
        /// The number of checked states.
        package var states: Int
    }

    package init(limits: ExplorationLimits) { self.limits = limits }

    /// For small-scope exploration: how many workloads were explored, of how many; nil for a single workload.
    package var workloads: (explored: Int, all: Int)?

    /// The number of profiles that these numbers are summed over; nil for one.
    package var profiles: Int?

    /// Whether every legal state was checked.
    package var isExhaustive: Bool { isComplete && exhaustedEpochs == epochs }

    /// The number of epochs that were explored exhaustively or to the end of their bounded search.
    package var exploredEpochs: Int { exhaustedEpochs + searched.count }

    /// Whether every epoch of every workload was explored, exhaustively or by its bounded search. A pass needs this.
    package var isComplete: Bool {
        stopped == nil && exploredEpochs == epochs && workloads.map { $0.explored == $0.all } ?? true
    }

    /// Adds the coverage of another workload.
    package mutating func add(_ other: Coverage) {
        epochs += other.epochs
        exhaustedEpochs += other.exhaustedEpochs
        mostAtoms = max(mostAtoms, other.mostAtoms)
        searched += other.searched
        stopped = stopped ?? other.stopped
        hasCheckedExtremes = hasCheckedExtremes || other.hasCheckedExtremes
        counts += other.counts
    }
}

extension Coverage: CustomStringConvertible {
    /// `exhaustive 812/815 epochs (up to 31 unsynced changes); 3 bounded (≤ 2 lost, ≤ 2 kept, 256 samples)`
    package var description: String {
        var text = profiles.map { "\($0.counted("profile")); " } ?? ""
        text += workloads.map { "\($0.explored)/\($0.all.counted("workload")); " } ?? ""
        text +=
            "exhaustive \(exhaustedEpochs)/\(epochs.counted("epoch")) (up to \(mostAtoms.counted("unsynced change")))"
        if !searched.isEmpty {
            text +=
                "; \(searched.count) bounded (≤ \(limits.droppedAtMost) lost, ≤ \(limits.droppedAtMost) kept, "
                + "\(limits.samplesPerEpoch.counted("sample")))"
        }
        let missing = epochs - exploredEpochs
        if let stopped {
            text +=
                hasCheckedExtremes
                ? "; \(missing) NOT EXPLORED beyond all lost and all kept: \(stopped)"
                : "; THE REST OF THE RUN NOT EXPLORED, and of these epochs at most all lost and all kept: \(stopped)"
            if exploredEpochs == 0 { text += "; no epoch was explored completely: raise the budget" }
        }
        if limits.depth > 1 {
            text += "; \(counts.nested.counted("state")) of crashes during recovery"
            if counts.boundedRecoveries > 0 {
                let bounded = counts.boundedRecoveries.counted("recovery", "recoveries")
                text += " (for \(bounded) only \(limits.nestedStatesPerEpoch) in each epoch)"
            }
        }
        if counts.unstable > 0 {
            text +=
                "; NOT DETERMINISTIC: \(counts.unstable) of \(counts.rerun) states gave another result when recovered again"
        }
        return text
    }
}
