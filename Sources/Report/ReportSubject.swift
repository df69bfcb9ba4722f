import Oracle

/// What a command came to, as reporters see it. Its JSON is its own encoding.
package protocol ReportSubject: Encodable {
    var verdict: Verdict { get }
    /// One for each thing that was tried: a run, a cell of a matrix, a case.
    var entries: [ReportEntry] { get }
    /// What is to be said beside the entries, a line each.
    var notes: [String] { get }

    /// For people.
    func text(for terminal: Terminal) -> String

    /// For a browser.
    func page() throws -> HTMLPage
}

extension ReportSubject {
    package var notes: [String] { [] }
}

/// One thing that was tried, and what came of it.
package struct ReportEntry: Sendable {
    package enum Outcome: Hashable, Sendable {
        case expected
        case unexpected
        /// It could not be tried here, for this reason.
        case skipped(String)
    }

    /// What was tried: the target.
    package var group: String
    package var name: String
    package var outcome: Outcome
    /// The verdict; nil for what was not run.
    package var verdict: Verdict?
    /// The verdict with what belongs to it: `pass (partial 3/5)`.
    package var shownVerdict: String
    package var expectation = Verdict.pass
    package var seconds: Double?
    package var states: Int?
    /// How many epochs were explored: `150/605`.
    package var epochs: String?
    /// What is wrong, or why there is no answer, in a sentence each.
    package var stories: [String] = []
    /// Findings that are accepted, with the reason.
    package var known: [(reason: String, story: String)] = []
    /// The command that does it again.
    package var command: String?
    /// Everything, as plain text; empty where there is nothing to tell.
    package var account = ""

    package init(
        _ group: String, _ name: String, _ outcome: Outcome, _ verdict: Verdict?, shownVerdict: String? = nil
    ) {
        self.group = group
        self.name = name
        self.outcome = outcome
        self.verdict = verdict
        self.shownVerdict = shownVerdict ?? verdict?.rawValue ?? "not run"
    }

    /// What is expected to pass.
    init(_ group: String, _ name: String, passing verdict: Verdict, stories: [String], account: String) {
        self.init(group, name, verdict == .pass ? .expected : .unexpected, verdict)
        self.stories = stories
        self.account = account
    }
}
