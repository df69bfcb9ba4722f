import Model

/// Derives the states of one epoch, a round at a time, and says which of them are worth a look. One thread at a time.
final class EpochWalk: @unchecked Sendable {
    enum Extent {
        /// The two states with all optional lost and with all kept.
        case ends
        /// All, or those of a search where there are too many.
        case all
    }

    struct Found {
        var hash: StateHash
        var survivors: Survivors
    }

    /// How many states are derived before any of them is looked up.
    static let blockCount = 64
    /// A round ends with so many that are worth a look, or after so many states.
    private static let roundFound = 1024
    private static let roundStates = 65_536

    let epoch: Epoch
    private let extent: Extent
    private let limits: ExplorationLimits
    private let seed: UInt64
    private let payloads: any PayloadStore
    private let hashes: NodeHashes

    private var walker: StateWalker?
    private var search: EpochSearch?
    private var block = StateBlock()

    private(set) var isDone: Bool
    /// How many of its states were derived, now and before.
    private var derivedCount: Int
    /// What was counted since somebody last asked.
    private var counts = ExplorationCounts()
    /// How many atoms are optional; known after the first round.
    private(set) var atomCount = 0

    init(
        _ epoch: Epoch, _ extent: Extent, _ limits: ExplorationLimits, seed: UInt64, payloads: any PayloadStore,
        hashes: NodeHashes, from position: Int? = 0
    ) {
        isDone = position == nil
        derivedCount = position ?? 0
        self.epoch = epoch
        self.extent = extent
        self.limits = limits
        self.seed = seed
        self.payloads = payloads
        self.hashes = hashes
    }

    /// The epoch is searched and not exhausted.
    var isSearched: Bool { search != nil }

    /// Where it lies and how it was searched.
    var bound: Coverage.Bound {
        Coverage.Bound(event: epoch.set.eventCount, atoms: atomCount, states: derivedCount)
    }

    /// How many of its states were derived; nil when it is done. Where to go on from later.
    var position: Int? { isDone ? nil : derivedCount }

    /// What was counted since this was last asked: states at this epoch, equal ones counted again.
    func takeCounts() -> ExplorationCounts {
        defer { counts = ExplorationCounts() }
        return counts
    }

    /// The next of the states that `known` says are worth a look; some may be equal.
    func round(_ known: SeenStates) throws -> [Found] {
        var walker = try self.walker.take() ?? begin()
        let found =
            switch (extent, search) {
            case (.ends, _): try ends(&walker, known)
            case (.all, nil): try walk(&walker, known)
            case (.all, _): try searched(&walker, known)
            }
        if !isDone { self.walker = consume walker }
        return found
    }

    private func begin() throws -> StateWalker {
        var walker = try StateWalker(epoch.set, payloads: payloads, known: hashes)
        atomCount = walker.atomCount
        if extent == .all, walker.hasMoreStates(than: limits.statesPerEpoch) {
            search = EpochSearch(epoch.set, walker, limits: limits, seed: seed)
        }
        try skip(derivedCount, &walker)
        return walker
    }

    /// Goes past states that were looked at before.
    private func skip(_ count: Int, _ walker: inout StateWalker) throws {
        var left = count
        while left > 0 {
            if search != nil {
                guard try search?.next(&walker) == true else { return }
                left -= 1
            } else {
                guard try walker.take(min(left, Self.blockCount), into: &block) else { return }
                left -= block.hashes.count
            }
        }
    }

    private func ends(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Found] {
        isDone = true
        var found: [Found] = []
        for losesAll in [true, false] {
            try walker.choose { _ in losesAll }
            look(walker, known, &found)
        }
        return found
    }

    private func searched(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Found] {
        var found: [Found] = []
        let end = derivedCount + Self.roundStates
        while found.count < Self.roundFound, derivedCount < end {
            guard try search?.next(&walker) == true else {
                isDone = true
                break
            }
            look(walker, known, &found)
        }
        return found
    }

    private func look(_ walker: borrowing StateWalker, _ known: SeenStates, _ found: inout [Found]) {
        derivedCount += 1
        counts.decided += 1
        if !walker.isEverythingChosen { counts.lossy += 1 }
        guard known.needsLook(walker.hash, at: epoch.lines) else { return }
        found.append(Found(hash: walker.hash, survivors: walker.chosenSurvivors()))
    }

    private func walk(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Found] {
        var found: [Found] = []
        let end = derivedCount + Self.roundStates
        while found.count < Self.roundFound, derivedCount < end {
            guard try walker.take(Self.blockCount, into: &block) else {
                isDone = true
                break
            }
            // All states but the one that keeps everything lose something.
            counts.lossy += block.hashes.count - (derivedCount == 0 ? 1 : 0)
            counts.decided += block.hashes.count
            derivedCount += block.hashes.count
            known.bringNear(block.hashes)
            for (state, hash) in block.hashes.enumerated() where known.needsLook(hash, at: epoch.lines) {
                found.append(Found(hash: hash, survivors: walker.survivors(state, of: block)))
            }
        }
        return found
    }
}
