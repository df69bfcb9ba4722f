/// How long a scenario may go on that would go on for as long as it is given.
package struct RunBudget: Hashable, Sendable {
    /// After so many seconds nothing further is begun; nil for no limit.
    package var seconds: Int?
    /// A pass may stand for a part of the run: what the budget left out is said and accepted.
    package var acceptsPartial = false

    package init(seconds: Int? = nil, acceptsPartial: Bool = false) {
        self.seconds = seconds
        self.acceptsPartial = acceptsPartial
    }
}

extension Array {
    /// `--budget` and `--partial`.
    ///
    /// - Parameter help: what a budget ends, and what then.
    package static func budget<Subject: Scenario>(_ help: String) -> [ScenarioOption<Subject>]
    where Element == ScenarioOption<Subject> {
        [
            ScenarioOption("budget", .text, "time", help) { (subject, texts) throws(OptionProblem) in
                subject.budget?.seconds = try OptionText.seconds(texts, of: "budget")
            } texts: { subject in
                subject.budget?.seconds.map { ["\($0)"] } ?? []
            }.limiting,
            ScenarioOption(
                "partial", .flag, nil,
                "call it a pass although the budget left something out; the verdict then says how much was done"
            ) { (subject, _) in
                subject.budget?.acceptsPartial = true
            } texts: { subject in
                subject.budget?.acceptsPartial == true ? ["true"] : []
            }.limiting,
        ]
    }
}
