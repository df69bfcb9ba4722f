import Exploration
import Targets

/// What a run saw of a finding that is accepted.
package struct KnownOutcome: Codable, Sendable {
    package var finding: KnownFinding
    /// How many findings of the run are this one; none: it did not occur.
    package var findings: Int
    /// How many states fail for them.
    package var states: Int

    package init(finding: KnownFinding, findings: Int, states: Int) {
        self.finding = finding
        self.findings = findings
        self.states = states
    }
}

extension KnownFinding {
    /// Whether it is what this finding tells, whatever the store says in any of its states.
    package func matches(_ finding: Finding) -> Bool {
        guard let cause = finding.cause, cause.check == check, covers(cause.losses) else { return false }
        if let hasAcknowledged, cause.hasAcknowledged != hasAcknowledged { return false }
        guard let error else { return true }
        let said = finding.errors?.map(\.pattern) ?? cause.error.map { [$0] } ?? []
        return !said.isEmpty && said.allSatisfy(error.covers)
    }
}

extension RunResult {
    /// Findings that are accepted.
    package var knownCount: Int { findings.count { $0.known != nil } }
}
