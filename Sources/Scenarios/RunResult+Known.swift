import Exploration
import Runs
import Targets

extension RunRequest {
    /// The reason why a known finding accepts this one; nil if none does.
    func reasonToAccept(_ finding: Finding) -> String? { known.first { $0.matches(finding) }?.reason }
}

extension RunResult {
    /// Marks the accepted findings, and records the outcome of each known finding.
    ///
    /// - Parameter attributed: the states that were not minimised, by the known finding that they fail like.
    package mutating func mark(_ request: RunRequest, attributed: [KnownFinding: Int] = [:]) {
        for index in findings.indices { findings[index].known = request.reasonToAccept(findings[index]) }
        // A scenario without faults cannot show known findings.
        guard !request.known.isEmpty, type(of: request.scenario).failureMode != .none else { return }
        known = request.known.map { known in
            let seen = findings.filter { known.matches($0) }
            return KnownOutcome(
                finding: known, findings: seen.count, states: seen.reduce(0) { $0 + $1.states },
                attributed: attributed[known, default: 0])
        }
    }
}
