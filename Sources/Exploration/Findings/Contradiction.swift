import Oracle

/// Two looks at one crash state that showed different things: nothing that this state shows can be believed.
package struct Contradiction: Sendable {
    package enum Kind: String, Codable, Sendable {
        /// It was recovered once more.
        case again
        /// It was recovered in a process that had done nothing else, after one that had recovered other states.
        case alone
    }

    package var kind: Kind
    package var state: CrashState
    package var first: Evidence
    package var second: Evidence

    /// So many are kept of a run; the others are counted.
    package static let keptAtMost = 3
}

extension Evidence {
    /// Whether both show the same: of stores that do not open, the same kind of error.
    package func showsSame(as other: Evidence) -> Bool {
        ShownState(evidence: self).digest == ShownState(evidence: other).digest
    }
}
