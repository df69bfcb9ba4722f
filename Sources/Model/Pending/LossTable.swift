import Bytes

/// The loss pattern of each pending effect, computed once and used for many choices of survivors.
///
/// Valid only for the set that it was made from, while that set does not change.
public struct LossTable: Sendable {
    /// One pattern for each pending effect, in trace order.
    private let patterns: [LossPattern]

    init(_ set: PendingSet) {
        var paths = PathPatterns(set.volatilePaths())
        var patterns: [LossPattern] = []
        for pending in set.pendingEffects() { patterns.append(paths.pattern(pending.effect)) }
        self.patterns = patterns
    }

    /// The patterns of the effects that a choice loses, whole or in part: sorted, without duplicates. The growth of a
    /// write has the pattern of the write.
    public func patterns(lostBy survivors: Survivors) -> [LossPattern] {
        var lost: Set<LossPattern> = []
        for (pattern, fate) in zip(patterns, survivors.fates) where fate != .kept { lost.insert(pattern) }
        return lost.sorted()
    }
}

extension PendingSet {
    public func lossTable() -> LossTable { LossTable(self) }
}
