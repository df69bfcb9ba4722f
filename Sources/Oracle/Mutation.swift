/// A way of being wrong that the positive control makes up, to see whether the validator notices.
public enum Mutation: String, CaseIterable, Hashable, Sendable {
    /// The recovery fails.
    case unopened
    /// An acknowledged key is gone.
    case lostAcknowledgement = "lost-acknowledgement"
    /// A key is back at a value that an acknowledged one has replaced.
    case oldValue = "old-value"
    /// A value is the start of one of its key's payloads and the end of another.
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
    /// A second recovery shows another state.
    case unstableRecovery = "unstable-recovery"
    /// A write after recovery does not survive.
    case lostProbe = "lost-probe"

    /// The check that must flag it.
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
        case .unstableRecovery: .idempotent
        case .lostProbe: .writable
        }
    }
}

/// What became of one mutation.
public struct ControlResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// The right check flagged it.
        case flagged
        /// The right check did not: the validator cannot be trusted with this run, which is a harness error.
        case missed(verdict: Verdict)
        /// The run's history has nothing to make the mutation of.
        case notFormed(reason: String)
        /// The real observation breaks the check already, so that a mutation would show nothing.
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
        case .flagged: "\(mutation.rawValue): flagged by \(mutation.check.rawValue)"
        case .missed(let verdict): "\(mutation.rawValue): MISSED by \(mutation.check.rawValue) (\(verdict.rawValue))"
        case .notFormed(let reason): "\(mutation.rawValue): not formed: \(reason)"
        case .alreadyBroken: "\(mutation.rawValue): not tried: \(mutation.check.rawValue) is broken already"
        }
    }
}
