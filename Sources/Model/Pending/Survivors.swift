/// The fate of one effect in one crash state.
public enum Fate: Hashable, Sendable {
    case lost
    case kept
    /// For a write: the bytes of the file that survive, in whole units.
    case data(RangeSet<UInt64>)
    /// For a growth: the size that survives, smaller than its end.
    case size(UInt64)
}

/// A legal choice of survivors: a fate for each pending effect, closed under the profile's dependencies.
///
/// Made by a `PendingSet`. Valid only for that set, while it does not change.
public struct Survivors: Hashable, Sendable {
    /// One fate for each pending effect, in trace order.
    var fates: [Fate]

    /// Whether a crash with this choice loses nothing.
    public var keepsEverything: Bool { fates.allSatisfy { $0 == .kept } }
}

/// A request for survivors. The answer is the largest legal choice within it.
public enum Choice: Hashable, Sendable {
    case everything
    case nothing
    /// Each effect at random, from the stream of this seed; a write may be torn.
    case seeded(UInt64)
    /// Everything except these atoms.
    case losing(LostAtoms)
}
