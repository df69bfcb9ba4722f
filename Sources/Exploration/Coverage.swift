import Bytes

/// How much of what a crash could leave was looked at.
package struct Coverage: Sendable {
    /// Epochs of the trace: stretches in which what may survive only grows.
    package var epochs = 0
    package var exhaustedEpochs = 0
    /// The most unsynced changes that an epoch has.
    package var mostAtoms = 0
    /// Those that have too many states.
    package var searched: [Bound] = []
    package var limits: ExplorationLimits
    /// Why the rest was not looked at; nil when all was.
    package var stopped: String?
    /// Every epoch was looked at with all lost and with all kept.
    package var hasSeenEnds = false
    package var counts = ExplorationCounts()

    /// An epoch that was searched and not exhausted.
    package struct Bound: Hashable, Sendable, Codable {
        /// After how many events of the trace it ends.
        package var event: Int
        /// How many things each may survive or not: states without order among them are two to this power.
        package var atoms: Int
        /// How many states were looked at.
        package var states: Int
    }

    package init(limits: ExplorationLimits) { self.limits = limits }

    /// Small workloads that were explored, of how many; nil where there was one workload.
    package var workloads: (explored: Int, all: Int)?

    /// How many profiles these numbers are the sum of; nil for one.
    package var profiles: Int?

    /// Every legal state was looked at.
    package var isExhaustive: Bool { isComplete && exhaustedEpochs == epochs }

    /// Epochs that were exhausted, or searched to the end of their bounded search.
    package var exploredEpochs: Int { exhaustedEpochs + searched.count }

    /// Every epoch was explored, exhaustively or by its bounded search, and so was every workload: what a pass needs.
    package var isComplete: Bool {
        stopped == nil && exploredEpochs == epochs && workloads.map { $0.explored == $0.all } ?? true
    }

    /// Adds what was looked at of another workload.
    package mutating func add(_ other: Coverage) {
        epochs += other.epochs
        exhaustedEpochs += other.exhaustedEpochs
        mostAtoms = max(mostAtoms, other.mostAtoms)
        searched += other.searched
        stopped = stopped ?? other.stopped
        hasSeenEnds = hasSeenEnds || other.hasSeenEnds
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
                hasSeenEnds
                ? "; \(missing) NOT LOOKED AT beyond all lost and all kept: \(stopped)"
                : "; THE REST OF THE RUN WAS NOT LOOKED AT AT ALL, and of these epochs all lost and all kept at most: \(stopped)"
            if exploredEpochs == 0 { text += "; no epoch was looked at whole: give it more" }
        }
        if limits.depth > 1 {
            text += "; \(counts.nested.counted("state")) of crashes during recovery"
            if counts.boundedRecoveries > 0 {
                let bounded = counts.boundedRecoveries.counted("recovery", "recoveries")
                text += " (of \(bounded) only \(limits.nestedStatesPerEpoch) an epoch)"
            }
        }
        if counts.unstable > 0 {
            text +=
                "; NOT DETERMINISTIC: \(counts.unstable) of \(counts.rerun) states showed something else when recovered again"
        }
        return text
    }
}
