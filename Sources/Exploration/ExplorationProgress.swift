import Model

/// The progress of an exploration between two rounds, from which `--resume` continues. The states and their order depend
/// only on the recording, the profile, the limits and the seed.
package struct ExplorationProgress: Sendable {
    /// The number of epochs of the recording; 0 until the extreme states of all of them are checked.
    var epochs = 0
    /// The number of leading epochs that are done.
    var doneEpochs = 0
    /// For the epochs after these: the number of derived states; nil for one that is done.
    var positions: [Int?] = []
    var exhaustedEpochs = 0
    /// The epochs whose strongest level is that one.
    var tornEpochs = 0
    var wholeEpochs = 0
    var decidedStates = StateCount(0)
    var mostAtoms = 0
    var searched: [Coverage.Bound] = []
    package var counts = ExplorationCounts()

    package init() {}

    /// False if the progress is impossible, so that the file with it is damaged.
    package var isPlausible: Bool {
        let numbers =
            [epochs, doneEpochs, exhaustedEpochs, tornEpochs, wholeEpochs, mostAtoms] + positions.compactMap(\.self)
        return numbers.allSatisfy { (0...1 << 48).contains($0) } && counts.isPlausible
            && doneEpochs + positions.count <= max(epochs, doneEpochs) && exhaustedEpochs + searched.count <= epochs
    }

    /// Whether the extreme states of all epochs are checked.
    var isPastExtremes: Bool { epochs > 0 }
}

/// The counts are encoded in the same container, as in files of all versions.
extension ExplorationProgress: Codable {
    private enum CodingKeys: CodingKey {
        case epochs, doneEpochs, positions, exhaustedEpochs, tornEpochs, wholeEpochs, decidedStates, mostAtoms, searched
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epochs = try values.decode(Int.self, forKey: .epochs)
        doneEpochs = try values.decode(Int.self, forKey: .doneEpochs)
        positions = try values.decode([Int?].self, forKey: .positions)
        exhaustedEpochs = try values.decode(Int.self, forKey: .exhaustedEpochs)
        tornEpochs = try values.decodeIfPresent(Int.self, forKey: .tornEpochs) ?? 0
        wholeEpochs = try values.decodeIfPresent(Int.self, forKey: .wholeEpochs) ?? 0
        decidedStates = try values.decodeIfPresent(StateCount.self, forKey: .decidedStates) ?? StateCount(0)
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
        try values.encode(tornEpochs, forKey: .tornEpochs)
        try values.encode(wholeEpochs, forKey: .wholeEpochs)
        try values.encode(decidedStates, forKey: .decidedStates)
        try values.encode(mostAtoms, forKey: .mostAtoms)
        try values.encode(searched, forKey: .searched)
        try counts.encode(to: encoder)
    }
}

/// An exploration to resume: its progress and the hashes of the states that it recovered.
package struct EarlierExploration {
    package var progress: ExplorationProgress
    /// The recovered states; their numbers are ignored.
    package var states: StateIndex

    package init(progress: ExplorationProgress, states: StateIndex) {
        self.progress = progress
        self.states = states
    }
}
