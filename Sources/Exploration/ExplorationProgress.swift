import Model

/// How far an exploration has come, so that it can be gone on with: between two rounds of its walks. What is looked at
/// and its order depend on the recording, the profile, the limits and the seed alone.
package struct ExplorationProgress: Sendable {
    /// The epochs of the recording; 0 until the ends of all of them were looked at.
    var epochs = 0
    /// So many of the first epochs are done.
    var doneEpochs = 0
    /// Of the epochs after those: how many states were derived; nil for one that is done.
    var positions: [Int?] = []
    var exhaustedEpochs = 0
    var mostAtoms = 0
    var searched: [Coverage.Bound] = []
    package var counts = ExplorationCounts()

    package init() {}

    /// False when no exploration can have come so far: the file that it was read from is damaged.
    package var isPlausible: Bool {
        let numbers = [epochs, doneEpochs, exhaustedEpochs, mostAtoms] + positions.compactMap(\.self)
        return numbers.allSatisfy { (0...1 << 48).contains($0) } && counts.isPlausible
            && doneEpochs + positions.count <= max(epochs, doneEpochs) && exhaustedEpochs + searched.count <= epochs
    }

    /// The ends of all epochs were looked at.
    var isPastEnds: Bool { epochs > 0 }
}

/// The counts are beside the rest, as in files of every version.
extension ExplorationProgress: Codable {
    private enum CodingKeys: CodingKey {
        case epochs, doneEpochs, positions, exhaustedEpochs, mostAtoms, searched
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epochs = try values.decode(Int.self, forKey: .epochs)
        doneEpochs = try values.decode(Int.self, forKey: .doneEpochs)
        positions = try values.decode([Int?].self, forKey: .positions)
        exhaustedEpochs = try values.decode(Int.self, forKey: .exhaustedEpochs)
        mostAtoms = try values.decode(Int.self, forKey: .mostAtoms)
        searched = try values.decode([Coverage.Bound].self, forKey: .searched)
        counts = try ExplorationCounts(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(epochs, forKey: .epochs)
        try values.encode(doneEpochs, forKey: .doneEpochs)
        try values.encode(positions, forKey: .positions)
        try values.encode(exhaustedEpochs, forKey: .exhaustedEpochs)
        try values.encode(mostAtoms, forKey: .mostAtoms)
        try values.encode(searched, forKey: .searched)
        try counts.encode(to: encoder)
    }
}

/// An exploration to be resumed: how far it came, and the hashes of the states that it recovered.
package struct EarlierExploration {
    package var progress: ExplorationProgress
    /// Any number of each state.
    package var states: StateIndex

    package init(progress: ExplorationProgress, states: StateIndex) {
        self.progress = progress
        self.states = states
    }
}
