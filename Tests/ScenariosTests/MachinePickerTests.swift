import Guest
import Machine
import Testing

@testable import Scenarios

/// Where a run takes place.
struct MachinePickerTests {
    private static let flakey: [MachineNeed] = [.root, .deviceMapper("flakey"), .makeFilesystem("ext4")]

    /// A machine that lacks these; its guest has the kernel `/nowhere`, which is not there.
    private func obstacle(_ choice: MachineChoice, _ needs: [MachineNeed], lacking: Set<MachineNeed>) -> String? {
        var configuration = GuestConfiguration()
        configuration.kernelName = "/nowhere"
        return MachinePicker(choice, configuration) { needs in
            let missing = needs.filter(lacking.contains).map { "\($0)" }
            return missing.isEmpty ? nil : missing.joined(separator: ", ")
        }.obstacle(to: needs)
    }

    @Test(arguments: [MachineChoice.auto, .host])
    func `what this machine can do is done here`(choice: MachineChoice) {
        #expect(obstacle(choice, Self.flakey, lacking: []) == nil)
    }

    @Test func `what it cannot do is looked for in the guest, unless the host was asked for`() throws {
        let lacking: Set<MachineNeed> = [.deviceMapper("flakey")]
        #expect(obstacle(.host, Self.flakey, lacking: lacking) == "deviceMapper(\"flakey\")")
        let both = try #require(obstacle(.auto, Self.flakey, lacking: lacking))
        #expect(both.hasPrefix("deviceMapper(\"flakey\"); nor in the guest: ") && both.contains("/nowhere"))
        #expect(try #require(obstacle(.guest, Self.flakey, lacking: [])).contains("/nowhere"))
    }

    @Test func `a guest needs QEMU, and this machine's programs`() {
        let guest = obstacle(.guest, Self.flakey, lacking: [.virtualMachine, .makeFilesystem("ext4"), .root])
        #expect(guest == "makeFilesystem(\"ext4\"), virtualMachine")
    }

    @Test func `on its own, a run that needs no device-mapper does not go to the guest`() {
        #expect(obstacle(.auto, [.fuse], lacking: [.fuse]) == "fuse")
        #expect(obstacle(.auto, [.root, .fuse, .loopDevices], lacking: [.root]) == "root")
    }
}
