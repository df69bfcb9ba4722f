import Bytes
import Matrices
import Replay
import Runs

extension MatrixReport {
    /// With a timeline for as many findings as there is room for.
    package func page() throws -> HTMLPage {
        var page = HTMLPage(title: "Matrix of \(rows.count.counted("cell"))", verdict: HTMLVerdict(verdict))
        page.matrix = HTMLMatrix(rows, against: trend)
        page.notes = notes
        let told =
            Array(TellOnce(rows.filter { !$0.isMet }))
            + Array(TellOnce(rows.filter { $0.isMet && (showsAll || !$0.isPlanted) }))
        page.findings = told.prefix(Self.findingsAtMost).enumerated().map { index, told in
            finding(told, number: index + 1, withTimeline: index < Self.timelinesAtMost)
        }
        let rest = told.count - page.findings.count
        if rest > 0 { page.cut = "\(rest.counted("more finding")): the log of the matrix has all" }
        return page
    }

    private static let findingsAtMost = 60
    /// Each takes up to 60 kB.
    private static let timelinesAtMost = 12

    private func finding(_ told: TellOnce.Told, number: Int, withTimeline: Bool) -> HTMLFinding {
        let (row, finding) = (told.rows[0], told.findings[0])
        var page = HTMLFinding(finding, number: number, withTimeline ? RunReport.facts(of: finding) : nil)
        if row.isMet { page.verdict = HTMLVerdict(row: row) }
        let scenarios = HTMLMatrix.unique(told.rows.map(\.scenario.rawValue)).joined(separator: " and ")
        page.context = "\(row.shownTarget), \(scenarios), \(row.result?.profile.name ?? "")"
        if !withTimeline, finding.account != nil {
            page.noTimeline = "Left out for the page's size: `faultline report` on the run's directory shows it."
        }
        for (other, shown) in zip(told.rows, told.findings).dropFirst().prefix(10) {
            let command = shown.replay.map { ": \($0)" } ?? ""
            page.remarks.append("shown by \(other.scenario), seed \(other.result?.seed ?? 0), too\(command)")
        }
        return page
    }
}
