/// The counts behind a verdict. `oracleLive` is `survived + dropped + damaged`, and `mismatches` ≥ `damaged`:
/// a wrong payload may also stand under a key that is not live.
public struct Totals: Hashable, Sendable {
    /// Keys that the recovered store shows.
    public var observedLive = 0
    /// Keys that must be there by what was acknowledged.
    public var oracleLive = 0
    /// Live keys of the oracle that are there at a legal value (or legally gone, by a delete in flight).
    public var survived = 0
    /// Live keys of the oracle that are missing, or at an older value.
    public var dropped = 0
    /// Live keys of the oracle that hold what their history never held.
    public var damaged = 0
    /// Operations whose outcome is open: begun and unanswered, refused, or unanswered before an unobserved restart.
    public var inFlight = 0
    /// Acknowledged operations that nothing is left of, by right: overwritten, deleted, and the deletes.
    public var dead = 0
    /// Observed keys that should not be there: deleted for good, or never named.
    public var extras = 0
    /// Observed payloads that the key's history never held.
    public var mismatches = 0

    public init() {}
}

extension Totals: CustomStringConvertible {
    /// One line.
    public var description: String {
        "observed live \(observedLive), oracle live \(oracleLive), survived \(survived), dropped \(dropped), "
            + "in flight \(inFlight), dead \(dead), extras \(extras), mismatches \(mismatches)"
    }
}
