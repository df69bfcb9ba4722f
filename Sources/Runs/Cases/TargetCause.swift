import Exploration
import Oracle

/// The cause that `recheck` looks for: the broken check and the lost writes.
package struct TargetCause: Hashable, Sendable {
    package var check: CaseCheck
    /// As `Finding.lossKinds`.
    package var lossKinds: [String]
    /// The full cause; nil for a case from an older version.
    package var cause: Cause?

    package init(check: CaseCheck, lossKinds: [String], cause: Cause? = nil) {
        self.check = check
        self.lossKinds = lossKinds
        self.cause = cause
    }

    package func matches(_ finding: Finding) -> Bool {
        if let cause, let found = finding.cause { return found.isGrouped(with: cause) }
        return .check(finding.check) == check && finding.lossKinds == lossKinds
    }

    /// Whether a cause found during the run already matches, before all states are checked.
    package func matches(_ found: FoundCause) -> Bool {
        if let cause { return found.cause.shows(cause) }
        return .check(found.cause.check) == check && found.cause.losses.map(\.description) == lossKinds
    }
}
