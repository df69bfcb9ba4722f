/// A property that a store must have after a crash.
///
/// The raw value is the name in JSON and on the command line. docs/oracle-format.md explains each check with examples;
/// `Validator` explains how it is decided.
public enum Check: String, CaseIterable, Hashable, Sendable, Codable, CodingKeyRepresentable {
    /// The real filesystem beneath the store mounts, and its checker finds no error. Not a guarantee of any store: it is in no
    /// contract and has its own verdict.
    case filesystem
    /// Recovery succeeds.
    case opens
    /// Each key has the value of its last acknowledged operation, or of one in flight.
    case durable
    /// Each value is one that the key had in its history; never a mix of two.
    case perKeyPrefix = "per-key-prefix"
    /// Each value is intact, byte for byte.
    case payloadIntegrity = "payload-integrity"
    /// There is no key that no operation ever named.
    case noExtras = "no-extras"
    /// A key whose delete was acknowledged stays deleted.
    case noResurrection = "no-resurrection"
    /// Some prefix of the history explains the whole state: no operation survives without all earlier ones.
    case noHoles = "no-holes"
    /// A batch survives completely or not at all.
    case atomic
    /// The store's own checker finds nothing wrong with what the recovery left. Judged only if the target has a checker.
    case consistent
    /// Recovering twice gives the same state.
    case idempotent
    /// After recovery a new write succeeds and survives.
    case writable
}

extension Check: Comparable {
    /// The order of declaration, which is the order in reports.
    public static func < (left: Check, right: Check) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self)! }
}
