/// The matching operations on which a rule fires.
public enum Selection: Hashable, Sendable {
    case all
    /// Only the n-th, counted from 1.
    case nth(AtLeastOne)
    /// The n-th, the 2n-th, …
    case every(AtLeastOne)
    case chance(Ratio)
}

/// A number from 1 up.
public struct AtLeastOne: Hashable, Sendable {
    public let value: UInt64
    /// nil for 0.
    public init?(_ value: UInt64) {
        guard value > 0 else { return nil }
        self.value = value
    }
}

/// A probability as a ratio of integers, above 0 and at most 1.
public struct Ratio: Hashable, Sendable {
    public let numerator: UInt64
    public let denominator: UInt64
    /// nil unless 0 < numerator ≤ denominator.
    public init?(_ numerator: UInt64, in denominator: UInt64) {
        guard numerator > 0, numerator <= denominator else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }
}
