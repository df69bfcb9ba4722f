/// One thing that a store may be held to after a crash.
///
/// The raw value is the check's name in JSON and on the command line. What each check means, with examples:
/// docs/oracle-format.md; how each is decided: `Validator`.
public enum Check: String, CaseIterable, Hashable, Sendable, Codable, CodingKeyRepresentable {
    /// The real filesystem beneath the store mounts, and its own checker finds nothing wrong. No store promises that: it is in
    /// no contract, and what breaks it is a verdict of its own.
    case filesystem
    /// Recovery ends without error.
    case opens
    /// Each key is at its last acknowledged operation, or at one that was in flight.
    case durable
    /// Each value is one that the key's history held; never a mix of two.
    case perKeyPrefix = "per-key-prefix"
    /// Each value is there byte for byte.
    case payloadIntegrity = "payload-integrity"
    /// No key is there that no operation ever named.
    case noExtras = "no-extras"
    /// A key whose delete was acknowledged stays deleted.
    case noResurrection = "no-resurrection"
    /// Some cut of the history explains the whole state: nothing is there without all that was asked before it.
    case noHoles = "no-holes"
    /// A batch is there whole or not at all.
    case atomic
    /// Recovering twice gives the same state.
    case idempotent
    /// After recovery a new write is accepted, and survives.
    case writable
}

extension Check: Comparable {
    /// The order of declaration, in which checks are reported.
    public static func < (left: Check, right: Check) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self)! }
}
