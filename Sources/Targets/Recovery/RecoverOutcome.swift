import Oracle

/// What came of recovering one directory.
package enum RecoverOutcome: Hashable, Sendable {
    /// The store opened and holds this.
    case opened(Observation)
    /// The store says so, its recovery died, or what it printed cannot be understood.
    case doesNotOpen(reason: String)
    /// It was killed after this time.
    case hangs(afterSeconds: Int)

    /// As the validator takes it.
    package var recovery: Recovery {
        switch self {
        case .opened(let observation): .opened(observation)
        case .doesNotOpen(let reason): .failed(reason: reason)
        case .hangs(let seconds): .failed(reason: "hangs in recovery: no end within \(seconds) s")
        }
    }
}
