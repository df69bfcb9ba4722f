import Machine
import Runs

extension ScenarioName {
    package static let block = ScenarioName(rawValue: "block")
}

/// Explores below a real filesystem: as `explore`, but the trace has the sector writes and flushes of its device.
package struct BlockScenario: DeviceScenario {
    package static let name = ScenarioName.block
    package static let summary =
        "explore below a real ext4, xfs or btrfs: mount every image that a power cut could leave"
    package static let failureMode = FailureMode.powerCut
    package static let needs: [MachineNeed] =
        [.root, .fuse, .loopDevices] + ["ext4", "xfs", "btrfs"].map(MachineNeed.makeFilesystem)

    package var exploration = ExploreScenario()

    package init() { exploration.explore(below: .ext4) }

    package static let options: [ScenarioOption<BlockScenario>] = explorationOptions(
        sharing: ["epoch-states", "samples", "rule", "states", "budget", "partial", "hangs"])
}
