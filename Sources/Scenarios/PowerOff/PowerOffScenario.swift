import Block
import Glibc
import Machine
import Runs
import Targets

extension ScenarioName {
    package static let powerOff = ScenarioName(rawValue: "power-off")
}

/// Records the store in a virtual machine whose power goes in the middle of the workload, and explores what its disk was
/// told until then, as `block` does.
package struct PowerOffScenario: DeviceScenario {
    package static let name = ScenarioName.powerOff
    package static let summary =
        "kill a virtual machine in mid-workload, and mount every image that its disk could have been left with"
    package static let failureMode = FailureMode.powerCut
    package static let needs: [MachineNeed] =
        [.virtualMachine, .root, .loopDevices] + ["ext4", "xfs", "btrfs"].map(MachineNeed.makeFilesystem)

    package var exploration = ExploreScenario()

    package init() { exploration.explore(below: .ext4) }

    package static let options: [ScenarioOption<PowerOffScenario>] = explorationOptions(
        sharing: ["epoch-states", "samples", "states", "budget", "partial", "hangs"])

    /// The images are mounted on this machine or in the guest. Within a guest there is no other.
    package func needs(on target: ConfiguredTarget) -> [MachineNeed] {
        let images = exploration.block.map { $0.needs.filter { $0 != .fuse } } ?? []
        return images + (PowerOffGuest.isHere ? [] : [.virtualMachine])
    }

    package func makeRun(_ request: RunRequest, _ context: RunContext, program: String) -> any ScenarioRun {
        if let serial = PowerOffGuest.diskSerial {
            return PowerOffWorkload(exploration.block?.filesystem ?? .ext4, request, context, serial: serial)
        }
        var exploration = exploration
        if let trace = PowerOffGuest.trace { exploration.recorder = .trace(trace) }
        var run = ExploreRun(exploration, request, context, program: program)
        run.savesProgress = false
        return run
    }
}
