import Bytes
import Oracle
import Replay
import Runs
import Scenarios

/// The result of a recheck: whether the repeated run still shows the case's cause. For people and programs.
package struct RecheckReport: ReportSubject {
    private let outcome: String
    package let verdict: Verdict
    private let check: CaseCheck
    private let lossKinds: [String]
    private let reason: String?
    private let result: RunResult

    package init(_ recheck: Recheck, _ result: RunResult, _ outcome: Recheck.Outcome) {
        self.result = result
        (check, lossKinds) = (recheck.cause.check, recheck.cause.lossKinds)
        verdict = outcome.verdict
        switch outcome {
        case .gone: (self.outcome, reason) = ("gone", nil)
        case .shows: (self.outcome, reason) = ("shows again", nil)
        case .unknown(let why): (self.outcome, reason) = ("not known", why)
        case .notExplored(let explored):
            (self.outcome, reason) = ("not known", "only \(explored) epochs were explored")
        case .failed(let why): (self.outcome, reason) = ("failed", why)
        }
    }

    private enum CodingKeys: String, CodingKey { case outcome, verdict, check, lossKinds, reason, result }

    package var entries: [ReportEntry] {
        var entry = ReportEntry(result)
        entry.name = "recheck of \(check), " + entry.name
        (entry.verdict, entry.shownVerdict) = (verdict, outcome)
        entry.outcome = verdict == .pass ? .expected : .unexpected
        entry.account = text(for: .plain)
        return [entry]
    }

    package func text(for terminal: Terminal) -> String {
        let style = RunReport.cell(verdict).style
        let cause = "\(check)" + (lossKinds.isEmpty ? "" : ": " + lossKinds.joined(separator: ", "))
        var lines: [ReportLine] = [style.shown(outcome, on: terminal) + "  \(cause)"]
        if let reason { lines.append("  \(reason)") }
        let others = result.findings.count { .check($0.check) != check || $0.lossKinds != lossKinds }
        if others > 0 {
            lines.append("  The run shows \(others.counted("other cause")); each is told below.")
        }
        return lines.text + "\n" + RunReport(result).text(for: terminal)
    }
}
