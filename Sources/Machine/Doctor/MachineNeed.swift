/// A machine feature that a scenario needs. `Doctor` checks it.
package enum MachineNeed: Hashable, Sendable {
    case root
    /// A mount of FaultFS.
    case fuse
    case loopDevices
    /// mkfs of this type: ext4, xfs, btrfs.
    case makeFilesystem(String)
    /// A target of device-mapper: flakey, log-writes.
    case deviceMapper(String)
    case virtualMachine

    package var isDeviceMapper: Bool {
        if case .deviceMapper = self { true } else { false }
    }

    /// Whether a guest has it, whatever this machine lacks. The programs of a guest are those of this machine.
    package var isMetByGuest: Bool {
        switch self {
        case .root, .fuse, .loopDevices, .deviceMapper: true
        case .makeFilesystem, .virtualMachine: false
        }
    }
}
