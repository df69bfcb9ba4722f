import Bytes
import Matrices
import Replay
import Runs

extension MatrixReport {
    /// The page, with timelines for as many findings as fit.
    package func page() throws -> HTMLPage {
        var page = HTMLPage(title: "Matrix of \(rows.count.counted("cell"))", verdict: shownVerdict)
        page.matrix = HTMLMatrix(rows, against: trend)
        page.notes = Self.notSeen(rows)
        let told =
            Array(UniqueFindings(rows.filter { !$0.isAsExpected }))
            + Array(UniqueFindings(rows.filter { $0.isAsExpected && (showsAll || !$0.isPlanted) }))
        page.findings = try findings(told, in: Self.sizeLimit - HTMLDocument.frameBytes - page.bytes())
        let rest = told.count - page.findings.count
        if rest > 0 { page.cut = "\(rest.counted("more finding")): the log of the matrix has all" }
        return page
    }

    /// The verdict, qualified if cells did not run.
    private var shownVerdict: HTMLVerdict {
        var shown = HTMLVerdict(verdict)
        let skipped = rows.count { $0.obstacle != nil }
        guard skipped > 0 else { return shown }
        shown.word += ", \(skipped.counted("cell")) not run"
        if verdict == .pass { shown.tone = "doubtful" }
        return shown
    }

    /// The page's size limit, in bytes: it must open quickly and fit into an email.
    private static let sizeLimit = 2_000_000
    private static let findingsAtMost = 60
    private static let timelinesAtMost = 12

    /// As many findings as fit into `room` bytes, the most important first.
    private func findings(_ told: [UniqueFindings.Entry], in room: Int) throws -> [HTMLFinding] {
        var (findings, room) = ([HTMLFinding](), room)
        for (index, told) in told.prefix(Self.findingsAtMost).enumerated() {
            var one = finding(told, number: index + 1, withTimeline: index < Self.timelinesAtMost)
            if try one.bytes() > room { one = finding(told, number: index + 1, withTimeline: false) }
            let bytes = try one.bytes()
            guard bytes <= room else { break }
            room -= bytes
            findings.append(one)
        }
        return findings
    }

    private func finding(_ told: UniqueFindings.Entry, number: Int, withTimeline: Bool) -> HTMLFinding {
        let (row, finding) = (told.rows[0], told.findings[0])
        var page = HTMLFinding(finding, number: number, withTimeline ? RunReport.facts(of: finding) : nil)
        if row.isAsExpected { page.verdict = HTMLVerdict(row: row) }
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

extension HTMLPage {
    /// The page's size without its findings, in bytes.
    fileprivate func bytes() throws -> Int {
        try (matrix.map { try HTMLDocument.size(of: $0, "matrix") } ?? 0) + notes.reduce(0) { $0 + 2 * $1.utf8.count }
    }
}

extension HTMLFinding {
    fileprivate func bytes() throws -> Int { try HTMLDocument.size(of: self, "finding", data: timeline) }
}
