import Exploration
import Machine
import Runs
import Targets

/// A scenario that explores below a real filesystem, as `explore --block` does. Such scenarios differ in what records the
/// device.
package protocol DeviceScenario: Scenario {
    var exploration: ExploreScenario { get set }
}

extension DeviceScenario {
    /// The options of `explore` that also apply.
    static func explorationOptions(sharing shared: Set<String>) -> [ScenarioOption<Self>] {
        let usual = Self()
        let filesystem = ScenarioOption<Self>(
            "fs", .text, "filesystem", default: usual.exploration.block?.filesystem.rawValue,
            "the filesystem: \(ExploreScenario.filesystemNames)"
        ) { (scenario, texts) throws(OptionProblem) in
            scenario.exploration.block?.filesystem = try ExploreScenario.filesystem(texts, of: "fs")
        } texts: {
            $0.exploration.block.map { [$0.filesystem.rawValue] } ?? []
        }.kept(as: "block.filesystem").alwaysPrinted
        let others =
            ExploreScenario.deviceOptions + ExploreScenario.options.filter { shared.contains($0.declaration.name) }
        return [filesystem]
            + others.map { option in
                let option = option.of(\Self.exploration)
                guard option.declaration.defaultText != nil, let text = option.texts(usual).first else { return option }
                return option.with(default: text)
            }
    }

    package var budget: RunBudget? {
        get { exploration.budget }
        set { exploration.budget = newValue }
    }
    package var block: BlockSetup? { exploration.block }
    package mutating func seek(_ cause: TargetCause) { exploration.seek(cause) }
    package func needs(on target: ConfiguredTarget) -> [MachineNeed] { exploration.needs(on: target) }

    package func optionProblem(
        in request: RunRequest, from place: OptionPlace?, program: String
    ) -> OptionProblem? { exploration.optionProblem(in: request, from: place, program: program) }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        var run = ExploreRun(exploration, request, context, program: program)
        // Only `explore` itself can be resumed.
        run.savesProgress = false
        return run
    }

    package func inconclusiveReason(for tally: RunTally) -> InconclusiveReason? {
        exploration.inconclusiveReason(for: tally)
    }
}
