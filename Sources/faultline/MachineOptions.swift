import ArgumentParser
import Glibc
import Machine
import Platform
import Scenarios

extension MachineChoice: ExpressibleByArgument {}

/// Where runs take place, and the virtual machine for those that this machine cannot do.
struct MachineOptions: ParsableArguments {
    @Option(
        help: """
            Where a run takes place: host, guest (a virtual machine with root and device-mapper: faultline guest), or auto: \
            what needs device-mapper and cannot run here runs in the guest (default: FAULTLINE_MACHINE, else auto).
            """)
    var machine: MachineChoice?

    @OptionGroup var guest: GuestOptions

    /// Decides for each run.
    var picker: MachinePicker { MachinePicker(choice, guest.configuration, lacking: Self.lacking) }

    /// Where the user wants runs.
    var choice: MachineChoice {
        let variable = getenv("FAULTLINE_MACHINE").flatMap { MachineChoice(rawValue: String(cString: $0)) }
        return machine ?? variable ?? .auto
    }

    private static let known = Guarded<[[MachineNeed]: String?]>([:])

    /// What this machine lacks, in words. Looked for once: a trial mount takes time.
    @Sendable private static func lacking(_ needs: [MachineNeed]) -> String? {
        guard !needs.isEmpty else { return nil }
        if let answer = known.withLock({ $0[needs] }) { return answer }
        let answer = Interruption.shared.awaiting { Doctor(driver: DoctorCommand.driver()).obstacle(to: needs) }
        known.withLock { $0[needs] = .some(answer) }
        return answer
    }
}
