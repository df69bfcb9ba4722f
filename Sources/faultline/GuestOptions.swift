import ArgumentParser
import Bytes
import Guest
import Machine
import Runs
import Scenarios

/// The options of the virtual machine.
struct GuestOptions: ParsableArguments {
    @Option(
        name: [.customLong("guest-kernel"), .customLong("kernel")],
        help: ArgumentHelp(
            """
            The guest's kernel: a Debian package by its name in the cache, as a .deb file, or as a directory where it was \
            unpacked (default: the newest in the cache).
            """, valueName: "package"))
    var kernelName: String?

    @Option(
        name: .customLong("guest-memory"),
        help: ArgumentHelp("The guest's memory, such as 512M or 2G.", valueName: "size"))
    var memory = MemorySize(bytes: 1 << 30)

    @Option(
        name: .customLong("guest-timeout"),
        help: ArgumentHelp("The guest is killed after this time, such as 60s or 20m.", valueName: "time"))
    var timeout = TimeSpan(milliseconds: 600_000)

    @Option(
        name: .customLong("guest-accelerator"),
        help: "How the guest's processor is made: kvm, tcg (emulation), or auto: KVM where it works.")
    var accelerator = GuestMachine.Accelerator.auto

    func validate() throws {
        let range = GuestMachine.memoryRange
        guard range.contains(memory.bytes >> 20) else {
            throw ValidationError("--guest-memory must be from \(range.lowerBound)M to \(range.upperBound >> 10)G")
        }
    }

    var configuration: GuestConfiguration {
        var configuration = GuestConfiguration()
        configuration.kernelName = kernelName
        configuration.memoryMebibytes = memory.bytes >> 20
        configuration.deadlineSeconds = timeout.seconds
        configuration.accelerator = accelerator
        return configuration
    }
}
