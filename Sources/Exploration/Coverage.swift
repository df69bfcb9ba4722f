import Model

/// How many of the possible crash states were checked.
package struct Coverage: Sendable {
    /// The epochs of the trace: stretches between two barriers or oracle lines.
    package var epochs = 0
    /// The epochs of which every state was checked: each unit of a write kept or lost by itself.
    package var exhaustedEpochs = 0
    /// The epochs of which no more than every state of the level `torn`, or `whole`, was decided.
    package var tornEpochs = 0
    package var wholeEpochs = 0
    /// The number of states that were decided by what recoveries read; a lower bound where they could not be counted.
    package var decidedStates = StateCount(0)
    /// The families of these states: each was decided by one recovery.
    package var families = 0
    /// The decided states that were recovered all the same.
    package var sampledStates = 0
    /// Why no states were decided although that was asked for.
    package var decidingObstacle: DecidingObstacle?
    /// Whether families of failing states have more of them than were counted.
    package var hasMoreFailing = false
    /// The most unsynced changes in an epoch.
    package var mostAtoms = 0
    /// The epochs with too many states for an exhaustive walk.
    package var searched: [Bound] = []
    package var limits: ExplorationLimits
    /// Why the exploration stopped early; nil if it did not.
    package var stopped: StopReason?
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

    /// The number of epochs of which every state of a level was checked.
    package func epochs(reaching level: StateLevel) -> Int {
        switch level {
        case .units: exhaustedEpochs
        case .torn: exhaustedEpochs + tornEpochs
        case .whole: exhaustedEpochs + tornEpochs + wholeEpochs
        }
    }

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
        tornEpochs += other.tornEpochs
        wholeEpochs += other.wholeEpochs
        decidedStates += other.decidedStates
        families += other.families
        sampledStates += other.sampledStates
        decidingObstacle = decidingObstacle ?? other.decidingObstacle
        hasMoreFailing = hasMoreFailing || other.hasMoreFailing
        mostAtoms = max(mostAtoms, other.mostAtoms)
        searched += other.searched
        stopped = stopped ?? other.stopped
        hasCheckedExtremes = hasCheckedExtremes || other.hasCheckedExtremes
        counts += other.counts
    }
}
