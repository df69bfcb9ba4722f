import Bytes
import Machine
import Model
import Runs

extension ScenarioName {
    package static let powerCut = ScenarioName(rawValue: "power-cut")
}

/// Cuts the power: unsynced changes may be lost, torn or reordered, as the profile allows.
package struct PowerCutScenario: Scenario {
    package static let name = ScenarioName.powerCut
    package static let summary = "the power goes: unsynced data, sizes and names are lost by the profile's rules"
    package static let failureMode = FailureMode.powerCut
    package static let needs: [MachineNeed] = [.fuse]
    package static let losesByProfile = true

    /// The places of live power cuts.
    package enum Cuts: Hashable, Sendable {
        /// This many cuts at seeded moments of the workload, then one at each usual aim. With 0 there are no live cuts,
        /// only derived crashes.
        case seeded(Int)
        /// A cut at each aim in order, `rounds` times.
        case aimed([CutAim], rounds: Int)

        /// The aims of all cuts, in order.
        package var aims: [CutAim] {
            switch self {
            case .seeded(0): []
            case .seeded(let count): Array(repeating: .phase(.work), count: count) + CutAim.usual
            case .aimed(let aims, let rounds): (0..<rounds).flatMap { _ in aims }
            }
        }
    }

    package var cuts = Cuts.seeded(2)
    package var budget: RunBudget? = RunBudget()
    /// Whether crashes may also come during the target's init command.
    package var includesInit = false

    package init() {}

    package init(_ cuts: Cuts) { self.cuts = cuts }

    package static let options = own + budgets

    private static let own: [ScenarioOption<PowerCutScenario>] =
        [
            ScenarioOption(
                "cut-at", .texts, "aim",
                """
                where the power goes, and not at seeded moments and once at each of these: work (any seeded event), create, \
                rename, unlink (a seeded one of these in the middle of the work: a rotation, a checkpoint, a compaction), \
                recovery (at work, and again while the store recovers), or exactly here: a rule such as \
                'unlink path=*.log nth=2 -> crash' or '… -> crash after' (docs/fault-rules.md); repeatable
                """
            ) { (scenario, texts) throws(OptionProblem) in
                var aims: [CutAim] = []
                for text in texts {
                    do throws(CutAimError) { aims.append(try CutAim(parsing: ByteString(text))) } catch {
                        throw OptionProblem("cut-at", "\(option: "cut-at"): \(error)")
                    }
                }
                if !aims.isEmpty { scenario.cuts = .aimed(aims, rounds: 1) }
            } texts: { scenario in
                if case .aimed(let aims, _) = scenario.cuts { aims.map(\.description) } else { [] }
            }.kept(as: "cutAims"),
            ScenarioOption(
                "cycles", .integer, "count", default: "2, or 1 with aims of your own",
                """
                how often the power goes at seeded moments, each time continuing on what survived, before it goes once at each \
                usual aim; how often it goes at each aim of your own
                """
            ) { (scenario, texts) throws(OptionProblem) in
                let count = try OptionText.integer(texts, of: "cycles", in: 0...1000)
                switch scenario.cuts {
                case .seeded: scenario.cuts = .seeded(count)
                case .aimed(let aims, _):
                    guard count > 0 else {
                        throw OptionProblem(
                            "cycles", "\(option: "cut-at") asks for cuts, and \(option: "cycles") 0 for none")
                    }
                    scenario.cuts = .aimed(aims, rounds: count)
                }
            } texts: { scenario in
                switch scenario.cuts {
                case .seeded(let count), .aimed(_, let count): ["\(count)"]
                }
            }.kept(as: "cycles").alwaysPrinted,
            .withInit(\.includesInit).kept(as: "includesInit"),
        ]

    private static let budgets: [ScenarioOption<PowerCutScenario>] = .budget(
        """
        after so much time, such as 60s or 10m, begin nothing further, and say what was left out. Without a finding such a \
        run is inconclusive (exit 3)
        """)

    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? {
        includesInit && place == .commandLine ? .initCommandMissing(request.target) : nil
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        PowerCutRun(self, request, context, program: program)
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        if tally.counts.lossy == 0 { return .nothingLost }
        if case .aimed = cuts, let missed = tally.aims.first(where: { $0.outcome == .notTried }) {
            return .cutNotTried(missed)
        }
        if let missed = tally.aims.first(where: { $0.outcome == .neverFired }) { return .cutNeverFired(missed) }
        return cuts != .seeded(0) && tally.cutsLanded == 0 ? .noCutLanded : nil
    }
}
