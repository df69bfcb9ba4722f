/// The result of a run. The five are never merged: a run that could not check is not a pass.
public enum Verdict: String, CaseIterable, Codable, Hashable, Sendable {
    /// The store fulfilled its contract.
    case pass
    /// The store violated its contract.
    case violation
    /// The filesystem beneath the store broke: not a result for the store.
    case filesystem
    /// The run could not decide: a fault never fired, or a check of the contract could not be judged.
    case inconclusive
    /// The harness has a bug or was set up wrongly; the run has no result for the store.
    case harnessError = "harness error"

    /// The exit code of a command that ends with this verdict.
    public var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .violation: 1
        case .harnessError: 2
        case .inconclusive, .filesystem: 3
        }
    }
}
