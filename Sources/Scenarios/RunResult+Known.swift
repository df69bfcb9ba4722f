import Exploration
import Runs
import Targets

extension RunRequest {
    /// Why this finding is accepted; nil where it is not.
    func reasonToAccept(_ finding: Finding) -> String? { known.first { $0.matches(finding) }?.reason }
}

extension RunResult {
    /// Marks the findings that are accepted, and notes what became of each that was known.
    package mutating func mark(_ request: RunRequest) {
        for index in findings.indices { findings[index].known = request.reasonToAccept(findings[index]) }
        // A run without a fault shows none.
        guard !request.known.isEmpty, type(of: request.scenario).hasFaults else { return }
        known = request.known.map { known in
            let seen = findings.filter { known.matches($0) }
            return KnownOutcome(finding: known, findings: seen.count, states: seen.reduce(0) { $0 + $1.states })
        }
    }
}
