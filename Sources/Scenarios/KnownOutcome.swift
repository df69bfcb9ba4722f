import Exploration
import Targets

/// What a run saw of a finding that is accepted.
package struct KnownOutcome: Codable, Sendable {
    package var finding: KnownFinding
    /// How many findings of the run are this one; none: it did not occur.
    package var findings: Int
    /// How many states fail for them.
    package var states: Int
}

extension KnownFinding {
    /// Whether it is what this finding tells, whatever the store says in any of its states.
    func matches(_ finding: Finding) -> Bool {
        guard let cause = finding.cause, cause.check == check, covers(cause.losses) else { return false }
        if let hasAcknowledged, cause.hasAcknowledged != hasAcknowledged { return false }
        guard let error else { return true }
        let said = finding.errors?.map(\.pattern) ?? cause.error.map { [$0] } ?? []
        return !said.isEmpty && said.allSatisfy(error.covers)
    }
}

extension RunRequest {
    /// Why this finding is accepted; nil where it is not.
    func reasonToAccept(_ finding: Finding) -> String? { known.first { $0.matches(finding) }?.reason }
}

extension RunResult {
    /// Marks the findings that are accepted, and notes what became of each that was known.
    mutating func mark(_ request: RunRequest) {
        for index in findings.indices { findings[index].known = request.reasonToAccept(findings[index]) }
        // A run without a fault shows none.
        guard !request.known.isEmpty, type(of: request.scenario).hasFaults else { return }
        known = request.known.map { known in
            let seen = findings.filter { known.matches($0) }
            return KnownOutcome(finding: known, findings: seen.count, states: seen.reduce(0) { $0 + $1.states })
        }
    }

    /// Findings that are accepted.
    package var knownCount: Int { findings.count { $0.known != nil } }
}
