import Bytes
import Replay
import Runs

extension RunReport {
    package func page() throws -> HTMLPage { Self.page([result]) }

    /// One page for these runs, of which there is at least one.
    static func page(_ results: [RunResult]) -> HTMLPage {
        var page: HTMLPage
        if results.count == 1 {
            page = HTMLPage(
                title: title(results[0]), verdict: HTMLVerdict(results[0].verdict, word: cell(of: results[0]).text))
        } else {
            let verdicts = HTMLMatrix.unique(results.map(\.verdict.rawValue)).joined(separator: ", ")
            page = HTMLPage(
                title: results.count.counted("run"),
                verdict: results.first { $0.verdict != .pass }.map { HTMLVerdict($0.verdict, word: verdicts) }
                    ?? HTMLVerdict(.pass))
        }
        page.runs = results.map(HTMLRun.init)
        let all = results.flatMap { result in result.findings.map { (result, $0) } }
        page.findings = all.prefix(findingsAtMost).enumerated().map { index, found in
            var finding = HTMLFinding(
                found.1, number: index + 1, index < timelinesAtMost ? facts(of: found.1) : nil)
            if results.count > 1 { finding.context = title(found.0) }
            return finding
        }
        let rest = all.count - page.findings.count
        if rest > 0 { page.cut = "\(rest.counted("more finding")): result.json has all" }
        return page
    }

    private static let findingsAtMost = 40
    private static let timelinesAtMost = 20

    /// The facts of the finding's case; nil if there is none or it is damaged or missing.
    static func facts(of finding: Finding) -> FindingFacts? {
        guard let path = finding.case else { return nil }
        return try? FindingFacts.read(ByteString(path))
    }
}
