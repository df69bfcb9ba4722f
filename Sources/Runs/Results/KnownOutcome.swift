import Exploration
import Targets

/// How often an accepted finding occurred in a run.
package struct KnownOutcome: Codable, Sendable {
    package var finding: KnownFinding
    /// The number of the run's findings that match it; 0 if it did not occur.
    package var findings: Int
    /// The number of states that fail because of them.
    package var states: Int

    package init(finding: KnownFinding, findings: Int, states: Int) {
        self.finding = finding
        self.findings = findings
        self.states = states
    }
}

extension KnownFinding {
    /// Whether it accepts `finding`, for every error that the store gave in its states.
    package func matches(_ finding: Finding) -> Bool {
        guard let cause = finding.cause, cause.check == check, covers(cause.losses) else { return false }
        if let hasAcknowledged, cause.hasAcknowledged != hasAcknowledged { return false }
        guard let error else { return true }
        let said = finding.errors?.map(\.pattern) ?? cause.error.map { [$0] } ?? []
        return !said.isEmpty && said.allSatisfy(error.covers)
    }
}

extension RunResult {
    /// The number of accepted findings.
    package var knownCount: Int { findings.count { $0.known != nil } }
}
