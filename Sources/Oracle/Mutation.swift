/// A defect that the positive control puts into an observation, to test that the validator detects it.
public enum Mutation: String, CaseIterable, Hashable, Sendable {
    /// The recovery fails.
    case unopened
    /// An acknowledged key is missing.
    case lostAcknowledgement = "lost-acknowledgement"
    /// A key has an old value that an acknowledged one has replaced.
    case oldValue = "old-value"
    /// A value is the start of one payload of its key and the end of another.
    case mixedValue = "mixed-value"
    case flippedBit = "flipped-bit"
    /// A key that no operation named.
    case extraKey = "extra-key"
    /// A key whose delete was acknowledged is back.
    case resurrectedDelete = "resurrected-delete"
    /// One operation is missing while later ones are there.
    case hole
    /// One operation of a batch is missing while another is there.
    case halfBatch = "half-batch"
    /// The store's own checker complains.
    case complaint
    /// A second recovery shows another state.
    case unstableRecovery = "unstable-recovery"
    /// A write after recovery does not survive.
    case lostProbe = "lost-probe"

    /// The check that must detect it.
    public var check: Check {
        switch self {
        case .unopened: .opens
        case .lostAcknowledgement, .oldValue: .durable
        case .mixedValue: .perKeyPrefix
        case .flippedBit: .payloadIntegrity
        case .extraKey: .noExtras
        case .resurrectedDelete: .noResurrection
        case .hole: .noHoles
        case .halfBatch: .atomic
        case .complaint: .consistent
        case .unstableRecovery: .idempotent
        case .lostProbe: .writable
        }
    }
}

/// The result of one mutation.
public struct ControlResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// The right check detected it.
        case detected
        /// The right check did not detect it: the validator is not reliable for this run, a harness error.
        case missed(verdict: Verdict)
        /// The run's history does not allow this mutation.
        case notApplicable(reason: String)
        /// The real observation already violates the check, so a mutation would prove nothing.
        case alreadyBroken
    }

    public var mutation: Mutation
    public var outcome: Outcome

    public init(mutation: Mutation, outcome: Outcome) {
        self.mutation = mutation
        self.outcome = outcome
    }

    public var isMissed: Bool {
        guard case .missed = outcome else { return false }
        return true
    }
}

extension ControlResult: CustomStringConvertible {
    public var description: String {
        switch outcome {
        case .detected: "\(mutation.rawValue): detected by \(mutation.check.rawValue)"
        case .missed(let verdict): "\(mutation.rawValue): MISSED by \(mutation.check.rawValue) (\(verdict.rawValue))"
        case .notApplicable(let reason): "\(mutation.rawValue): not applicable: \(reason)"
        case .alreadyBroken: "\(mutation.rawValue): not tried: \(mutation.check.rawValue) is already violated"
        }
    }
}
