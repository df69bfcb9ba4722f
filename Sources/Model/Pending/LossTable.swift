import Bytes

/// What kind of change each pending part of a set is, of which files, for many choices of survivors.
///
/// Valid for the set that it was made from, as it was then.
public struct LossTable: Sendable {
    /// By place among the pending parts.
    private let patterns: [LossPattern]

    init(_ set: PendingSet) {
        var paths = PathPatterns(set.volatilePaths())
        var patterns: [LossPattern] = []
        for part in set.pendingEffects() { patterns.append(paths.pattern(part.effect)) }
        self.patterns = patterns
    }

    /// What a choice loses (some of), each kind of change once and in order. The size that a write reached is that
    /// write's.
    public func patterns(lostBy survivors: Survivors) -> [LossPattern] {
        var lost: Set<LossPattern> = []
        for (pattern, fate) in zip(patterns, survivors.fates) where fate != .kept { lost.insert(pattern) }
        return lost.sorted()
    }
}

extension PendingSet {
    public func lossTable() -> LossTable { LossTable(self) }
}
