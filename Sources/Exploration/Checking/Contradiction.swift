import Oracle

/// Two recoveries of one crash state with different results: no result of this state is reliable.
package struct Contradiction: Sendable {
    package enum Kind: String, Codable, Sendable {
        /// The state was recovered a second time.
        case again
        /// The state was recovered in a fresh process, after a process that had recovered other states.
        case alone
    }

    package var kind: Kind
    package var state: CrashState
    package var first: Evidence
    package var second: Evidence

    /// The most contradictions to keep for a run; the others are counted.
    package static let keptAtMost = 3
}

extension Evidence {
    /// Whether both are equal, except that error messages need only have the same pattern.
    package func isEquivalent(to other: Evidence) -> Bool {
        StateEvidence(evidence: self).digest == StateEvidence(evidence: other).digest
    }
}
