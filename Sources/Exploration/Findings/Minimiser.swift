import Model

/// Minimises a failing crash state: fewer lost operations, fewer torn ones, an earlier crash, the strongest profile that
/// still allows it. The result never has other loss patterns than the given state, because that would be another cause.
package struct Minimiser {
    private let recording: Recording
    private let sets: RecentPendingSet

    /// Up to this many crash points are all tried; of more, only those after oracle lines, where the guarantees change.
    private let everyPointAtMost: Int

    package init(_ recording: Recording, everyPointAtMost: Int = 48) {
        self.recording = recording
        sets = RecentPendingSet(recording)
        self.everyPointAtMost = everyPointAtMost
    }

    private static let roundsAtMost = 6

    /// The smallest failing state that the search finds. Repeats all steps after a stronger profile was found, under which
    /// the state may become smaller.
    ///
    /// - Parameter isOver: whether to stop and return the smallest state so far.
    package func minimise(
        _ state: CrashState, isOver: () -> Bool = { false }, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        var best = state
        for _ in 0..<Self.roundsAtMost where !isOver() {
            let last = best
            best = try withFewerLosses(try atEarliestPoint(best, isOver, fails: fails), isOver, fails: fails)
            best = try withoutTears(best, isOver, fails: fails)
            best = try underStrongerProfile(best, isOver, fails: fails)
            if best.lost == last.lost, best.crashPoint == last.crashPoint, best.profile == last.profile { break }
        }
        return try underStrongestProfile(best)
    }

    /// The first crash of the recording that fails for the same cause and loses no more, so that later operations are not
    /// needed. It tries of each epoch: all lost, all kept, and each single loss.
    package func inShortestPrefix(_ state: CrashState, fails: (CrashState) throws -> Bool) throws -> CrashState {
        let patterns = try sets.losses(of: state).patterns
        var found: CrashState?
        try recording.forEachEpoch(state.profile) { epoch in
            guard epoch.set.eventCount < state.crashPoint else { return true }
            let single = epoch.set.lost(epoch.set.survivors(.nothing)).items.map { Choice.losing(LostAtoms([$0])) }
            for choice in [.nothing, .everything] + single {
                let candidate = epoch.state(epoch.set.survivors(choice))
                guard try fails(candidate) else { continue }
                let smallest = try minimise(candidate, fails: fails)
                if smallest.isSmaller(than: state), try sets.losses(of: smallest).patterns == patterns {
                    found = smallest
                    return true
                }
            }
            return false
        }
        return found ?? state
    }

    /// Removes each lost atom that is not needed for the failure.
    func withFewerLosses(
        _ state: CrashState, _ isOver: () -> Bool, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        var best = try withoutRunsOfLosses(state, isOver, fails: fails)
        var hasShrunk = true
        while hasShrunk {
            hasShrunk = false
            for item in best.lost.items.reversed() where !isOver() {
                let fewer = LostAtoms(best.lost.items.filter { $0 != item })
                let candidate = try sets.state(best.profile, at: best.crashPoint, .losing(fewer))
                // Other atoms may have been lost as dependencies: then the candidate is not smaller.
                guard candidate.lost.items.count < best.lost.items.count, try fails(candidate) else { continue }
                best = candidate
                hasShrunk = true
            }
        }
        return best
    }

    /// From so many losses on, runs of them are tried first.
    private static let lossesOfRuns = 16

    /// Removes runs of lost atoms that are not needed, large ones first, as in delta debugging: a store that never syncs loses
    /// hundreds, of which few matter.
    private func withoutRunsOfLosses(
        _ state: CrashState, _ isOver: () -> Bool, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        var best = state
        guard best.lost.items.count >= Self.lossesOfRuns else { return best }
        var length = best.lost.items.count / 2
        while length > 1 {
            var end = best.lost.items.count
            while end > 0, !isOver() {
                let items = best.lost.items
                let begin = max(0, end - length)
                let fewer = LostAtoms(Array(items[..<begin] + items[end...]))
                let candidate = try sets.state(best.profile, at: best.crashPoint, .losing(fewer))
                if candidate.lost.items.count < items.count, try fails(candidate) { best = candidate }
                end = min(begin, best.lost.items.count)
            }
            length /= 2
        }
        return best
    }

    /// Replaces torn writes by lost ones, or several missing pieces of a write by one.
    private func withoutTears(
        _ state: CrashState, _ isOver: () -> Bool, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        var best = state
        for item in state.lost.items where !isOver() {
            guard let index = best.lost.items.firstIndex(of: item) else { continue }
            for simpler in item.simpler {
                var lost = best.lost
                lost.items[index].extent = simpler
                let candidate = try sets.state(best.profile, at: best.crashPoint, .losing(lost))
                guard candidate.lost.items.count <= best.lost.items.count,
                    candidate.lost.pieceCount < best.lost.pieceCount, try fails(candidate)
                else { continue }
                best = candidate
                break
            }
        }
        return best
    }

    /// Moves the crash to the earliest point that still fails. Later operations only add losses.
    private func atEarliestPoint(
        _ state: CrashState, _ isOver: () -> Bool, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        let begin: Int
        if let first = state.lost.items.map(\.operation).min() {
            begin = recording.events.firstIndex { $0.operationID == first } ?? state.crashPoint
        } else {
            begin = max(0, state.crashPoint - everyPointAtMost)
        }
        if let same = try losingNothing(state, at: begin), try fails(same) { return same }
        guard begin + 1 < state.crashPoint else { return state }
        let isShort = state.crashPoint - begin <= everyPointAtMost
        for point in begin + 1..<state.crashPoint where isShort || recording.isOracleLine(before: point) {
            if isOver() { break }
            let candidate = try sets.state(state.profile, at: point, .losing(state.lost))
            if candidate.lost.isEmpty == state.lost.isEmpty, try fails(candidate) { return candidate }
        }
        return state
    }

    /// The same tree with nothing lost, at an earlier point of the run; nil if the run never had this tree.
    private func losingNothing(_ state: CrashState, at point: Int) throws -> CrashState? {
        guard !state.lost.isEmpty else { return nil }
        let candidate = try recording.wholeState(at: point)
        return candidate.tree == state.tree ? candidate : nil
    }

    /// The state under the strongest profile that allows the same tree, or that fails with its own losses.
    private func underStrongerProfile(
        _ state: CrashState, _ isOver: () -> Bool, fails: (CrashState) throws -> Bool
    ) throws -> CrashState {
        let strongest = try underStrongestProfile(state)
        let patterns = Set(try sets.losses(of: state).patterns)
        // A stronger profile may forbid this tree but still fail, with the same losses or more.
        for profile in recording.profiles.prefix(while: { $0 != strongest.profile }) where !isOver() {
            let same = try sets.state(profile, at: strongest.crashPoint, .losing(strongest.lost))
            if same.lost.isEmpty == strongest.lost.isEmpty, try fails(same),
                patterns.isSuperset(of: try sets.losses(of: same).patterns)
            {
                return same
            }
            let candidate = try sets.state(profile, at: strongest.crashPoint, .nothing)
            guard !candidate.lost.isEmpty, try fails(candidate) else { continue }
            let smaller = try withFewerLosses(candidate, isOver, fails: fails)
            if patterns.isSuperset(of: try sets.losses(of: smaller).patterns) { return smaller }
        }
        return strongest
    }

    /// The same tree under the strongest profile that allows it at this crash point.
    package func underStrongestProfile(_ state: CrashState) throws -> CrashState {
        for profile in recording.profiles.prefix(while: { $0 != state.profile }) {
            let candidate = try sets.state(profile, at: state.crashPoint, .losing(state.lost))
            if candidate.tree == state.tree { return candidate }
        }
        return state
    }
}

extension CrashState {
    /// The order of states of one cause: a stronger profile first, then fewer lost operations, fewer lost pieces, an earlier
    /// crash.
    func isSmaller(than other: CrashState) -> Bool {
        for (mine, theirs) in zip(size, other.size) where mine != theirs { return mine < theirs }
        return false
    }

    private var size: [Int] {
        [
            Profile.allCases.firstIndex(of: profile) ?? 0, Set(lost.items.map(\.operation)).count, lost.pieceCount,
            crashPoint,
        ]
    }
}

extension LostAtoms {
    /// The complexity of the losses: a whole atom counts 1; a torn one counts 1 and 1 more for each missing range.
    fileprivate var pieceCount: Int { items.reduce(0) { $0 + $1.pieceCount } }
}

extension LostAtoms.Item {
    fileprivate var pieceCount: Int {
        switch extent {
        case .whole: 1
        case .bytes(let ranges): 1 + ranges.count
        case .sizeAbove: 2
        }
    }

    fileprivate var simpler: [LostAtoms.Extent] {
        switch extent {
        case .whole: []
        case .sizeAbove: [.whole]
        case .bytes(let ranges): [.whole] + (ranges.count > 1 ? ranges.map { .bytes([$0]) } : [])
        }
    }
}

extension Recording {
    /// Whether the last event before the crash point is an oracle line. Only there do the guarantees change.
    fileprivate func isOracleLine(before point: Int) -> Bool {
        if case .oracle = events[point - 1] { true } else { false }
    }
}

extension TraceEvent {
    fileprivate var operationID: OperationID? {
        if case .operation(let operation) = self { operation.id } else { nil }
    }
}
