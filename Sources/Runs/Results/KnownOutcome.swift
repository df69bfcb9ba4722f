import Exploration
import Targets

/// How often an accepted finding occurred in a run.
package struct KnownOutcome: Codable, Sendable {
    package var finding: KnownFinding
    /// The number of the run's findings that match it; 0 if it did not occur.
    package var findings: Int
    /// The number of states that fail because of them.
    package var states: Int
    /// The number of other failing states that were not minimised and are attributed to it; nil for 0.
    package var attributed: Int?

    package init(finding: KnownFinding, findings: Int, states: Int, attributed: Int = 0) {
        self.finding = finding
        self.findings = findings
        self.states = states
        self.attributed = attributed == 0 ? nil : attributed
    }
}

extension KnownFinding {
    /// Whether it accepts `finding`, for every error that the store gave in its states.
    package func matches(_ finding: Finding) -> Bool {
        // A workload that fails after a recovery has no cause: nothing is known of what it needs.
        guard finding.check == check, finding.cause.map({ covers($0.losses) }) ?? (losses == nil) else { return false }
        if let hasAcknowledged, finding.cause?.hasAcknowledged != hasAcknowledged { return false }
        guard let error else { return true }
        let said = finding.errors?.map(\.pattern) ?? finding.cause?.error.map { [$0] } ?? []
        return !said.isEmpty && said.allSatisfy(error.covers)
    }

    /// Whether it accepts states that were not minimised: they fail the same check in the same way, and lost at least what
    /// it needs.
    package func matches(_ failure: UnexplainedFailure) -> Bool {
        let symptom = failure.symptom
        guard symptom.check == check else { return false }
        if let hasAcknowledged, symptom.hasAcknowledged != hasAcknowledged { return false }
        if let error { guard let said = symptom.error, error.covers(said) else { return false } }
        guard let losses else { return true }
        guard let lost = failure.losses, !losses.isEmpty else { return failure.losses == losses }
        return losses.allSatisfy { pattern in lost.contains { pattern.covers($0) } }
    }
}

extension RunResult {
    /// The number of accepted findings.
    package var knownCount: Int { findings.count { $0.known != nil } }
}
