import Replay

extension ReplayReport {
    package func page() throws -> HTMLPage {
        var page = HTMLPage(title: "\(target), replayed", verdict: HTMLVerdict(verdict))
        guard account != nil || facts != nil else {
            page.entries = HTMLPage.Entries(
                entries: [.init(name: "replay", verdict: HTMLVerdict(verdict), account: text(for: .plain))])
            return page
        }
        var finding = HTMLFinding(
            number: 1, check: check.description, headline: account?.headline ?? recorded, verdict: HTMLVerdict(verdict))
        if let account { finding.tell(account) }
        if let facts { finding.draw(facts, account) }
        if account == nil {
            finding.remarks = [
                "The case says: \(recorded)", "It does not show again: the target recovers this state now.",
            ]
        }
        finding.remarks += (confirmed ?? []).map(\.words)
        page.findings = [finding]
        return page
    }
}
