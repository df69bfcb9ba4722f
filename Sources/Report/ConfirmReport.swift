import Bytes
import Oracle
import Runs
import Scenarios

/// The confirmations of a case's cause on real filesystems, for people and programs.
package struct ConfirmReport: ReportSubject {
    package let verdict: Verdict
    private let check: CaseCheck
    private let confirmed: [Confirmation]
    private let results: [RunResult]

    package init(_ check: CaseCheck, _ attempts: [(confirmation: Confirmation, result: RunResult?)]) {
        self.check = check
        confirmed = attempts.map(\.confirmation)
        results = attempts.compactMap(\.result)
        verdict = Confirmation.verdict(of: confirmed)
    }

    private enum CodingKeys: String, CodingKey { case verdict, check, confirmed, results }

    package var entries: [ReportEntry] {
        [
            ReportEntry(
                results.first?.target ?? "case", "confirm, \(check)", passing: verdict,
                stories: confirmed.map(\.words), account: text(for: .plain))
        ]
    }

    package func text(for terminal: Terminal) -> String {
        let heading =
            switch verdict {
            case .violation: Style.bad.shown("seen", on: terminal)
            case .pass: Style.good.shown("not seen", on: terminal)
            default: Style.doubtful.shown("not known", on: terminal)
            }
        var lines: [ReportLine] = [heading + "  \(check)"]
        lines += confirmed.map { ReportLine("  \($0.words)") }
        for result in results {
            guard let directory = result.directory, let block = result.block else { continue }
            lines.append("  the run on \(block.filesystemName) is in \(directory)")
        }
        return lines.text
    }
}
