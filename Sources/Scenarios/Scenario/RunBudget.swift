/// The time budget of a scenario.
package struct RunBudget: Hashable, Sendable {
    /// The time after which no further work begins, in seconds; nil for no limit.
    package var seconds: Int?
    /// Whether the run may pass although the budget left out a part of it. The result names that part.
    package var allowsPartial = false

    package init(seconds: Int? = nil, allowsPartial: Bool = false) {
        self.seconds = seconds
        self.allowsPartial = allowsPartial
    }
}

extension Array {
    /// `--budget` and `--partial`.
    ///
    /// - Parameter help: what the budget ends, and the consequence.
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
                subject.budget?.allowsPartial = true
            } texts: { subject in
                subject.budget?.allowsPartial == true ? ["true"] : []
            }.limiting,
        ]
    }
}
