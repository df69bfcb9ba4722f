import ArgumentParser
import Machine
import Scenarios

extension MemorySize: ExpressibleByArgument {}

/// The memory limit of a command.
struct MemoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The most memory that Faultline takes, with what it keeps in memory filesystems: such as 512M or 4G, at least \
            \(MemorySize.least) (default: a quarter of the machine's). What does not fit is put aside in the run's \
            directory; what cannot be is an inconclusive run that says so.
            """, valueName: "size"))
    var memory = MachineMemory().defaultLimit

    func validate() throws {
        guard memory.bytes >= MemorySize.least.bytes else {
            throw ValidationError("--memory must be at least \(MemorySize.least)")
        }
    }
}
