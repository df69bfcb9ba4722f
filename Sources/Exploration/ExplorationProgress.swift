import Model

/// How far an exploration has come, so that it can be gone on with: between two rounds of its walks. What is looked at
/// and its order depend on the recording, the profile, the limits and the seed alone.
package struct ExplorationProgress: Codable, Sendable {
    /// The epochs of the recording; 0 until the ends of all of them were looked at.
    var epochs = 0
    /// So many of the first epochs are done.
    var doneEpochs = 0
    /// Of the epochs after those: how many states were derived; nil for one that is done.
    var positions: [Int?] = []
    var exhaustedEpochs = 0
    var mostAtoms = 0
    var searched: [Coverage.Bound] = []
    var decidedCount = 0
    var lossyCount = 0
    package var checkedCount = 0
    var rerunCount = 0
    var unstableCount = 0
    var nestedCount = 0
    var boundedRecoveryCount = 0

    package init() {}

    /// False when no exploration can have come so far: the file that it was read from is damaged.
    package var isPlausible: Bool {
        let counts = [
            epochs, doneEpochs, exhaustedEpochs, mostAtoms, decidedCount, lossyCount, checkedCount, rerunCount,
            unstableCount, nestedCount, boundedRecoveryCount,
        ]
        return (counts + positions.compactMap(\.self)).allSatisfy { (0...1 << 48).contains($0) }
            && doneEpochs + positions.count <= max(epochs, doneEpochs) && exhaustedEpochs + searched.count <= epochs
    }

    /// The ends of all epochs were looked at.
    var isPastEnds: Bool { epochs > 0 }
}

/// An exploration to be gone on with: how far it came, and the hashes of the states that it recovered.
package struct EarlierExploration {
    package var progress: ExplorationProgress
    /// Any number of each state.
    package var states: StateIndex

    package init(progress: ExplorationProgress, states: StateIndex) {
        self.progress = progress
        self.states = states
    }
}
