/// The counts behind a verdict. `oracleLive` = `survived + dropped + damaged`. `mismatches` ≥ `damaged`, since a key
/// that must be absent may also have a wrong payload.
public struct Totals: Hashable, Sendable {
    /// Keys in the recovered store.
    public var observedLive = 0
    /// Keys that must exist by the acknowledgements.
    public var oracleLive = 0
    /// Of `oracleLive`: keys with a legal value (or absent by a delete in flight).
    public var survived = 0
    /// Of `oracleLive`: keys that are missing or have an older value.
    public var dropped = 0
    /// Of `oracleLive`: keys with a value outside their history.
    public var damaged = 0
    /// Operations with an unknown outcome: unanswered, failed, or unanswered before an unobserved restart.
    public var inFlight = 0
    /// Acknowledged operations that rightly left nothing: overwritten puts, deleted puts, and deletes.
    public var dead = 0
    /// Observed keys that must not exist: deleted for good, or never named.
    public var extras = 0
    /// Observed payloads outside their key's history.
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
