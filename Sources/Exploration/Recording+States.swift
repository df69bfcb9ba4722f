import Model

/// A crash state that a sweep came to. Its tree is made only for who asks for it.
package struct SweptState {
    package var hash: StateHash
    /// The number of oracle lines before the crash.
    package var lineCount: Int
    /// The number of events before the crash.
    package var eventCount: Int
    private let epoch: Epoch
    private let survivors: Survivors

    init(_ hash: StateHash, _ survivors: Survivors, of epoch: Epoch) {
        (self.hash, self.survivors, self.epoch) = (hash, survivors, epoch)
        (lineCount, eventCount) = (epoch.lines, epoch.set.eventCount)
    }

    package func state() -> CrashState { epoch.state(survivors) }
}

extension Recording {
    /// Calls `body` with the states of each epoch, as an exploration derives them: all, or those of a bounded search where
    /// there are more than `limits` allow. Equal states come several times.
    ///
    /// - Returns: what was looked at.
    package func forEachState(
        _ profile: Profile, _ limits: ExplorationLimits, seed: UInt64, _ body: (SweptState) throws -> Void
    ) throws -> Coverage {
        var coverage = Coverage(limits: limits)
        let hashes = NodeHashes()
        try forEachEpoch(profile) { epoch in
            coverage.epochs += 1
            var walker = try StateWalker(epoch.set, payloads: payloads, known: hashes)
            coverage.mostAtoms = max(coverage.mostAtoms, walker.atomCount)
            guard walker.hasMoreStates(than: limits.statesPerEpoch) else {
                repeat { try body(SweptState(walker.hash, walker.survivors(), of: epoch)) } while try walker.next()
                coverage.exhaustedEpochs += 1
                return false
            }
            var count = 0
            func take(_ walker: borrowing StateWalker) throws {
                count += 1
                try body(SweptState(walker.hash, walker.chosenSurvivors(), of: epoch))
            }
            for losesAll in [true, false] {
                try walker.choose { _ in losesAll }
                try take(walker)
            }
            var search = EpochSearch(epoch.set, walker, limits: limits, seed: seed)
            while try search.next(&walker) { try take(walker) }
            coverage.searched.append(
                Coverage.Bound(event: epoch.set.eventCount, atoms: walker.atomCount, states: count))
            return false
        }
        return coverage
    }
}
