import Model

/// Derives the states of one epoch in rounds, and finds those that need a check. To be used by one thread at a time.
final class EpochWalk: @unchecked Sendable {
    enum Extent {
        /// The two extreme states: all unsynced changes lost, and all kept.
        case extremes
        /// All states, or those of a bounded search if there are too many.
        case all
        /// Those of a bounded search, because more is too much.
        case bounded
        /// None: they are decided.
        case decided
    }

    struct Candidate {
        var hash: StateHash
        var survivors: Survivors
    }

    /// The number of states that are derived before they are looked up.
    static let blockCount = 64
    /// A round ends after this many states that need a check, or after `roundStates` states in total.
    private let roundFound: Int
    private static let roundStates = 65_536
    /// Each found state holds the fate of every pending effect: a set with many effects gets smaller rounds.
    private static let (roundFoundAtMost, roundFoundAtLeast, roundFates) = (1024, 16, 1 << 22)

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
    /// The number of derived states, including those before the exploration was resumed.
    private var derivedCount: Int
    /// The counts since the last `takeCounts`.
    private var counts = ExplorationCounts()
    /// The number of atoms; known after the first round.
    private(set) var atomCount = 0

    init(
        _ epoch: Epoch, _ extent: Extent, _ limits: ExplorationLimits, seed: UInt64, payloads: any PayloadStore,
        hashes: NodeHashes, from position: Int? = 0
    ) {
        let atMost = Self.roundFates / max(1, epoch.set.pendingEffectCount)
        roundFound = min(Self.roundFoundAtMost, max(Self.roundFoundAtLeast, atMost))
        isDone = position == nil || extent == .decided
        derivedCount = position ?? 0
        self.epoch = epoch
        self.extent = extent
        self.limits = limits
        self.seed = seed
        self.payloads = payloads
        self.hashes = hashes
    }

    /// Whether all states of the epoch are decided.
    var isDecided: Bool { extent == .decided }

    /// Whether the epoch has a bounded search instead of an exhaustive walk.
    var isSearched: Bool { search != nil }

    /// The position of the epoch and the extent of its search.
    var bound: Coverage.Bound {
        Coverage.Bound(event: epoch.set.eventCount, atoms: atomCount, states: derivedCount)
    }

    /// The number of derived states, from which the walk can be resumed; nil when it is done.
    var position: Int? { isDone ? nil : derivedCount }

    /// Returns and resets the counts since the last call. Equal states count each time.
    func takeCounts() -> ExplorationCounts {
        defer { counts = ExplorationCounts() }
        return counts
    }

    /// The next states that need a check according to `known`. Some may be equal.
    func round(_ known: SeenStates) throws -> [Candidate] {
        var walker = try self.walker.take() ?? begin()
        let found =
            switch (extent, search) {
            case (.extremes, _): try extremes(&walker, known)
            case (_, nil): try walk(&walker, known)
            case (_, _?): try searched(&walker, known)
            }
        if !isDone { self.walker = consume walker }
        return found
    }

    private func begin() throws -> StateWalker {
        var walker = try StateWalker(epoch.set, payloads: payloads, known: hashes)
        atomCount = walker.atomCount
        if extent == .bounded || extent == .all && walker.hasMoreStates(than: limits.statesPerEpoch) {
            search = EpochSearch(epoch.set, walker, limits: limits, seed: seed)
        }
        try skip(derivedCount, &walker)
        return walker
    }

    /// Skips states that were checked before the exploration was resumed.
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

    private func extremes(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Candidate] {
        isDone = true
        var found: [Candidate] = []
        for losesAll in [true, false] {
            try walker.choose { _ in losesAll }
            collectCandidates(walker, known, &found)
        }
        return found
    }

    private func searched(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Candidate] {
        var found: [Candidate] = []
        let end = derivedCount + Self.roundStates
        while found.count < roundFound, derivedCount < end {
            guard try search?.next(&walker) == true else {
                isDone = true
                break
            }
            collectCandidates(walker, known, &found)
        }
        return found
    }

    private func collectCandidates(_ walker: borrowing StateWalker, _ known: SeenStates, _ found: inout [Candidate]) {
        derivedCount += 1
        counts.decided += 1
        if !walker.isEverythingChosen { counts.lossy += 1 }
        guard known.needsCheck(walker.hash, at: epoch.lines) else { return }
        found.append(Candidate(hash: walker.hash, survivors: walker.chosenSurvivors()))
    }

    private func walk(_ walker: inout StateWalker, _ known: SeenStates) throws -> [Candidate] {
        var found: [Candidate] = []
        let end = derivedCount + Self.roundStates
        while found.count < roundFound, derivedCount < end {
            guard try walker.take(Self.blockCount, into: &block) else {
                isDone = true
                break
            }
            // Every state but the one that keeps everything has a loss.
            counts.lossy += block.hashes.count - (derivedCount == 0 ? 1 : 0)
            counts.decided += block.hashes.count
            derivedCount += block.hashes.count
            known.prefetch(block.hashes)
            for (state, hash) in block.hashes.enumerated() where known.needsCheck(hash, at: epoch.lines) {
                found.append(Candidate(hash: hash, survivors: walker.survivors(state, of: block)))
            }
        }
        return found
    }
}
