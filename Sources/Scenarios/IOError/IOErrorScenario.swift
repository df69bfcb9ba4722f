import Bytes
import Exploration
import Machine
import Model
import Runs

extension ScenarioName {
    package static let ioError = ScenarioName(rawValue: "io-error")
}

/// Injects storage failures while the store works: errors, no space, failed syncs, wrong bytes.
package struct IOErrorScenario: Scenario {
    package static let name = ScenarioName.ioError
    package static let summary =
        "storage fails at work: errors, no space, short counts, failed syncs, lies, wrong bytes"
    package static let failureMode = FailureMode.fileFaults
    package static let needs: [MachineNeed] = [.fuse]

    /// The faults to inject.
    package enum Faults: Hashable, Sendable {
        /// Each family of faults in turn, at a few drawn places or at every place where it can fire.
        case families(everyPlace: Bool)
        /// These rules together.
        case rules([Rule])
    }

    /// The families to try; empty for all.
    package var families: [FaultFamilyName] = []
    package var faults = Faults.families(everyPlace: false)
    /// The number of cycles. Each uses the next seed.
    package var cycles = 1
    package var budget: RunBudget? = RunBudget()

    package init() {}

    package init(_ faults: Faults, cycles: Int = 1) {
        self.faults = faults
        self.cycles = cycles
    }

    private static let crashHint: OptionProblem.Reason =
        ": that is \(option: "scenario") power-cut, with \(option: "cut-at")"

    package static let options = own + budgets

    private static let own: [ScenarioOption<IOErrorScenario>] =
        [
            .integer(
                "cycles", \.cycles, in: 0...1000, default: "1", "how often all of it is done, with rising seeds"
            ).kept(as: "cycles").alwaysPrinted,
            ScenarioOption(
                "rule", .texts, "rule",
                "inject by this rule (docs/fault-rules.md), and not each family of faults in its turn; repeatable"
            ) { (scenario, texts) throws(OptionProblem) in
                try scenario.add(OptionText.rules(texts, of: "rule", insteadOfCrash: crashHint))
            } texts: {
                if case .rules(let rules) = $0.faults { rules.map(\.description) } else { [] }
            }.kept(as: "rules"),
            ScenarioOption("rules", .text, "file", "a file of rules, one a line (docs/fault-rules.md)") {
                (scenario, texts) throws(OptionProblem) in
                let path = try OptionText.path(texts, of: "rules")
                let rules: [Rule]
                do throws(RuleFile.Problem) { rules = try RuleFile.rules(path) } catch {
                    throw OptionProblem("rules", "\(option: "rules"): \(error)")
                }
                if let crash = rules.first(where: \.cutsPower) {
                    throw OptionProblem("rules", "\(option: "rules"): '\(crash)' cuts the power" + crashHint)
                }
                scenario.add(rules)
            } texts: { _ in
                // A rule file is printed as its rules.
                []
            }.only(in: .commandLine),
            ScenarioOption(
                "family", .texts, "name",
                "try only this family of faults, such as fsync-lose-ext4 (docs/io-errors.md); repeatable"
            ) { (scenario, texts) throws(OptionProblem) in
                for text in texts {
                    guard let name = FaultFamily.all.first(where: { $0.name.rawValue == text })?.name else {
                        let known = FaultFamily.all.map(\.name.rawValue).joined(separator: ", ")
                        throw OptionProblem("family", "\(option: "family") cannot be \(text) (\(known))")
                    }
                    if !scenario.families.contains(name) { scenario.families.append(name) }
                }
            } texts: {
                $0.families.map(\.rawValue)
            }.kept(as: "families").excluding("rule", "rules"),
            ScenarioOption(
                "sweep", .flag, nil,
                """
                try each family of faults at every place where it can fire, and not at a few drawn ones. It takes a life of the \
                store for each write, sync, create and so on
                """
            ) { (scenario, _) in
                scenario.faults = .families(everyPlace: true)
            } texts: {
                $0.faults == .families(everyPlace: true) ? ["true"] : []
            }.kept(as: "sweepsFaults").excluding("rule", "rules"),
        ]

    private static let budgets: [ScenarioOption<IOErrorScenario>] = .budget(
        """
        after so much time, such as 60s or 10m, begin nothing further, and say what was left out. Without a finding such a \
        run is inconclusive (exit 3)
        """)

    private mutating func add(_ rules: [Rule]) {
        guard !rules.isEmpty else { return }
        if case .rules(let known) = faults { faults = .rules(known + rules) } else { faults = .rules(rules) }
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        IOErrorRun(self, request, context, program: program)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        if let silent = tally.faults.first(where: { $0.outcome == .neverFired }) { return .ruleNeverFired(silent) }
        return tally.faultsFired == 0 ? .noFaultFired : nil
    }
}
