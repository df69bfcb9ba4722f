/// What a run found out. The five are never merged: a run that could not look is not a run that found nothing.
public enum Verdict: String, CaseIterable, Codable, Hashable, Sendable {
    /// The store kept its contract.
    case pass
    /// The store broke its contract.
    case violation
    /// The filesystem beneath the store broke: nothing is said of the store.
    case filesystem
    /// The run could not tell: a fault never fired, or a check of the contract could not be judged.
    case inconclusive
    /// The harness itself is wrong or was set up wrongly; the run says nothing about the store.
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
