import Oracle

/// The results of a command, for reporters. Its JSON is its own encoding.
package protocol ReportSubject: Encodable {
    var verdict: Verdict { get }
    /// One entry for each run, matrix cell or case.
    var entries: [ReportEntry] { get }
    /// Notes besides the entries, one a line.
    var notes: [String] { get }

    /// For people.
    func text(for terminal: Terminal) -> String

    /// For a browser.
    func page() throws -> HTMLPage
}

extension ReportSubject {
    package var notes: [String] { [] }
}

/// One run, cell or case with its outcome.
package struct ReportEntry: Sendable {
    package enum Outcome: Hashable, Sendable {
        case expected
        case unexpected
        /// Not possible on this machine, for this reason.
        case skipped(String)
    }

    /// What was tried: the target.
    package var group: String
    package var name: String
    package var outcome: Outcome
    /// The verdict; nil if it was not run.
    package var verdict: Verdict?
    /// The verdict with its qualification: `pass (partial 3/5)`.
    package var shownVerdict: String
    package var expectation = Verdict.pass
    package var seconds: Double?
    package var states: Int?
    /// The coverage in epochs: `150/605`.
    package var epochs: String?
    /// The problems, or why there is no verdict, a sentence each.
    package var stories: [String] = []
    /// Findings that are accepted, with the reason.
    package var known: [(reason: String, story: String)] = []
    /// The command that repeats it.
    package var command: String?
    /// The full report as plain text; empty if there is none.
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

    /// An entry that is expected to pass.
    init(_ group: String, _ name: String, passing verdict: Verdict, stories: [String], account: String) {
        self.init(group, name, verdict == .pass ? .expected : .unexpected, verdict)
        self.stories = stories
        self.account = account
    }
}
