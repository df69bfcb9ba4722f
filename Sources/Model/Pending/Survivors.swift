/// What becomes of one part in one crash state.
public enum Fate: Hashable, Sendable {
    case lost
    case kept
    /// Of a write: the bytes of the file that survive, in whole units.
    case data(RangeSet<UInt64>)
    /// Of an extending write: the size that it reached, one of those that may survive, short of its end.
    case size(UInt64)
}

/// One legal choice of what survives: a fate for each pending part, closed under the profile's order.
///
/// Made by `PendingSet`, and valid only for the set it was made from, as it was then.
public struct Survivors: Hashable, Sendable {
    /// By place among the live parts.
    var fates: [Fate]

    /// True when a crash with this choice loses nothing.
    public var keepsEverything: Bool { fates.allSatisfy { $0 == .kept } }
}

/// Which of the pending parts to ask for. The answer is the largest legal choice within what was asked for.
public enum Choice: Hashable, Sendable {
    case everything
    case nothing
    /// Each part by chance, from the stream of this seed; a write may be torn.
    case seeded(UInt64)
    /// Everything but these.
    case losing(LostAtoms)
}
