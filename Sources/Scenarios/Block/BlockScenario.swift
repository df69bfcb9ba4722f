import Block
import Exploration
import Machine
import Runs
import Targets

extension ScenarioName {
    package static let block = ScenarioName(rawValue: "block")
}

/// Explores below a real filesystem: as `explore`, but the trace has the sector writes and flushes of its device.
package struct BlockScenario: Scenario {
    package static let name = ScenarioName.block
    package static let summary =
        "explore below a real ext4, xfs or btrfs: mount every image that a power cut could leave"
    package static let failureMode = FailureMode.powerCut
    package static let needs: [MachineNeed] =
        [.root, .fuse, .loopDevices] + ["ext4", "xfs", "btrfs"].map(MachineNeed.makeFilesystem)

    private static let usual = BlockFilesystem.ext4

    package var exploration = ExploreScenario()

    package init() { exploration.explore(below: Self.usual) }

    package static let options: [ScenarioOption<BlockScenario>] =
        [
            ScenarioOption(
                "fs", .text, "filesystem", default: usual.rawValue,
                "the filesystem: \(ExploreScenario.filesystemNames)"
            ) { (scenario, texts) throws(OptionProblem) in
                scenario.exploration.block?.filesystem = try ExploreScenario.filesystem(texts, of: "fs")
            } texts: {
                $0.exploration.block.map { [$0.filesystem.rawValue] } ?? []
            }.kept(as: "block.filesystem").alwaysPrinted
        ]
        + (ExploreScenario.deviceOptions + ExploreScenario.options.filter { shared.contains($0.declaration.name) })
        .map { option in
            let option = option.of(\BlockScenario.exploration)
            guard option.declaration.defaultText != nil, let usual = option.texts(BlockScenario()).first else {
                return option
            }
            return option.with(default: usual)
        }

    /// The options of `explore` that also apply here.
    private static let shared: Set = ["epoch-states", "samples", "rule", "states", "budget", "partial", "hangs"]

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
