import Bytes

/// One self-contained HTML file: no network, no external script, opens from disk.
package enum HTMLReporter: Reporter {
    package static let format = "html"

    package static func report(_ subject: some ReportSubject) throws -> [UInt8] {
        try HTMLDocument.bytes(of: subject.page())
    }
}

extension ReportSubject {
    /// The page of a result without its own page type: each entry with its printed text.
    package func page() throws -> HTMLPage {
        var page = HTMLPage(title: entries.count == 1 ? entries[0].name : "Faultline", verdict: HTMLVerdict(verdict))
        page.notes = notes
        page.entries = HTMLPage.Entries(
            entries: entries.map { entry in
                var shown = HTMLPage.Entry(name: entry.name, verdict: HTMLVerdict(entry), account: entry.account)
                shown.command = entry.command
                if shown.account.isEmpty { shown.account = entry.stories.joined(separator: "\n") }
                return shown
            })
        return page
    }
}
