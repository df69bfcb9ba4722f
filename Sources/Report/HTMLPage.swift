import Bytes
import Oracle

/// The content of a page. The templates only place these fields and decide nothing.
package struct HTMLPage {
    /// A result without its own page type.
    struct Entry {
        var name: String
        var verdict: HTMLVerdict
        var command: String?
        var account: String
    }

    struct Entries {
        var entries: [Entry]
    }

    /// A label and its value: `seed` and `1`.
    struct Fact {
        var label: String
        var value: String
    }

    /// A command to copy.
    struct Command {
        var purpose: String
        var text: String
    }

    var title: String
    var verdict: HTMLVerdict
    /// Notes beside the results.
    var notes: [String] = []
    var entries: Entries?
    var runs: [HTMLRun] = []
    var matrix: HTMLMatrix?
    var findings: [HTMLFinding] = []
    /// The parts that were cut to limit the page's size.
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
