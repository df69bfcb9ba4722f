import Matrices
import Oracle
import Runs
import Scenarios

extension ReportEntry {
    /// One cell of a matrix.
    init(_ row: MatrixRow) {
        self.init(
            row.target, row.name, row.obstacle.map(Outcome.skipped) ?? (row.isAsExpected ? .expected : .unexpected), nil
        )
        expectation = row.expectation
        guard let result = row.result else { return }
        take(result)
        if let reason = row.reason {
            account = [ReportLine("expected \(row.expectation.rawValue): \(reason)")].text + account
        }
    }

    /// One run, which is expected to pass.
    init(_ result: RunResult) {
        let outcome: Outcome = result.verdict == .pass ? .expected : .unexpected
        self.init(RunReport.name(result), RunReport.title(result), outcome, nil)
        take(result)
    }

    private mutating func take(_ result: RunResult) {
        verdict = result.verdict
        shownVerdict = RunReport.cell(of: result).text
        seconds = result.seconds
        states = result.states.checked
        epochs = result.explored?.description
        known = result.findings.compactMap { finding in finding.known.map { ($0, finding.story) } }
        stories = result.findings.isEmpty ? [result.reason].compactMap(\.self) : result.findings.map(\.story)
        command = result.command
        var lines: [ReportLine] = []
        for (index, finding) in result.findings.enumerated() {
            if let place = finding.case { lines.append("case of finding \(index + 1): \(place)") }
        }
        lines.append("the run again: \(result.command)")
        account = RunReport(result).text(for: .plain) + lines.text
    }
}
