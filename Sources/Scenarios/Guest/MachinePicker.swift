import Guest
import Machine

/// Where the user wants a run.
package enum MachineChoice: String, CaseIterable, Sendable {
    /// On this machine, or in the guest if this machine lacks something that the guest has.
    case auto
    case host
    case guest
}

/// Decides where a run takes place, by what it needs. Thread safe.
package struct MachinePicker: Sendable {
    package enum Place: Sendable {
        case host
        case guest(GuestMachine)
        /// What is missing, on this machine and for the guest.
        case nowhere(obstacle: String)
    }

    private let choice: MachineChoice
    private let configuration: GuestConfiguration
    /// What this machine lacks of these needs, in words; nil if nothing.
    private let lacking: @Sendable ([MachineNeed]) -> String?

    /// Everything runs on this machine, whatever it lacks.
    package static let hostAlone = MachinePicker(.host, GuestConfiguration()) { _ in nil }

    package init(
        _ choice: MachineChoice, _ configuration: GuestConfiguration,
        lacking: @escaping @Sendable ([MachineNeed]) -> String?
    ) {
        (self.choice, self.configuration, self.lacking) = (choice, configuration, lacking)
    }

    /// The place of a run with these needs.
    ///
    /// On its own, only what needs device-mapper, or a virtual machine anyway, goes to the guest. For the rest, a guest would hide what is missing here, such
    /// as root or /dev/fuse, and take its time: exploring below a filesystem mounts thousands of images.
    package func place(of needs: [MachineNeed]) -> Place {
        if choice == .guest { return guest(needs, insteadOf: nil) }
        guard let missing = lacking(needs) else { return .host }
        let isForGuest = needs.contains { $0.isDeviceMapper || $0 == .virtualMachine }
        guard choice == .auto, isForGuest else { return .nowhere(obstacle: missing) }
        return guest(needs, insteadOf: missing)
    }

    /// A guest as the user wants it.
    package func guest() throws(GuestError) -> GuestMachine { try configuration.machine() }

    /// What is missing, here and for the guest; nil if a run with these needs has a place.
    package func obstacle(to needs: [MachineNeed]) -> String? {
        if case .nowhere(let obstacle) = place(of: needs) { obstacle } else { nil }
    }

    /// The guest, if this machine has what it needs.
    private func guest(_ needs: [MachineNeed], insteadOf missing: String?) -> Place {
        let prefix = missing.map { "\($0); nor in the guest: " } ?? ""
        let others = needs.filter { !$0.isMetByGuest }
        if let obstacle = lacking(others + [.virtualMachine]) { return .nowhere(obstacle: prefix + obstacle) }
        do throws(GuestError) {
            return .guest(try configuration.machine())
        } catch {
            return .nowhere(obstacle: prefix + "\(error)")
        }
    }
}
