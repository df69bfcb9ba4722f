import Machine
import Runs

extension ScenarioName {
    package static let logWrites = ScenarioName(rawValue: "log-writes")
}

/// As `block`, but dm-log-writes records the device, with marks at the oracle's lines.
package struct LogWritesScenario: DeviceScenario {
    package static let name = ScenarioName.logWrites
    package static let summary =
        "as block, with the device recorded by the kernel's dm-log-writes"
    package static let failureMode = FailureMode.powerCut
    package static let needs: [MachineNeed] =
        BlockScenario.needs + [.deviceMapper("log-writes")]

    package var exploration = ExploreScenario()

    package init() {
        exploration.explore(below: .ext4)
        exploration.recorder = .writeLog
    }

    package static let options: [ScenarioOption<LogWritesScenario>] = explorationOptions(
        sharing: ["epoch-states", "samples", "states", "budget", "partial", "hangs"])
}
