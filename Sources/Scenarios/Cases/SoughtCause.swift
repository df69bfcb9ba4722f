import Exploration
import Oracle

/// The cause that a `recheck` looks for: the check that broke and what was lost.
package struct SoughtCause: Hashable, Sendable {
    package var check: String
    /// As `Finding.lossKinds`.
    package var lossKinds: [String]

    func matches(_ finding: Finding) -> Bool { finding.check == check && finding.lossKinds == lossKinds }

    func matches(_ cause: FindingCollector.Cause) -> Bool {
        cause.check.rawValue == check && cause.loss.patterns.map(\.description) == lossKinds
    }
}
