import Bytes
import Oracle

/// What a page shows. The templates name these fields; nothing is decided there.
package struct HTMLPage {
    /// A result that has no page of its own.
    struct Entry {
        var name: String
        var verdict: HTMLVerdict
        var command: String?
        var account: String
    }

    struct Entries {
        var entries: [Entry]
    }

    /// A name and what it stands for: `seed` and `1`.
    struct Fact {
        var label: String
        var value: String
    }

    /// A command to be copied.
    struct Command {
        var purpose: String
        var text: String
    }

    var title: String
    var verdict: HTMLVerdict
    /// Remarks beside the results.
    var notes: [String] = []
    var entries: Entries?
    var runs: [HTMLRun] = []
    var matrix: HTMLMatrix?
    var findings: [HTMLFinding] = []
    /// What was left out for the page's size.
    var cut: String?

    init(title: String, verdict: HTMLVerdict) {
        self.title = title
        self.verdict = verdict
    }
}

extension HTMLVerdict {
    init(_ entry: ReportEntry) {
        switch entry.outcome {
        case .skipped: self.init(word: "skipped", symbol: "–", tone: "faint")
        case .expected, .unexpected:
            if let verdict = entry.verdict {
                self.init(verdict, word: entry.shownVerdict)
            } else {
                self.init(word: "not run", symbol: "–", tone: "faint")
            }
        }
    }
}
