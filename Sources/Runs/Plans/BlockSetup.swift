import Block
import Machine

/// The filesystem and the device that lie below a store, and how they are looked at.
package struct BlockSetup: Hashable, Codable, Sendable {
    package var filesystem: BlockFilesystem
    /// What of the device survives whole or not at all: 4096 bytes, or 512.
    package var sectorBytes: UInt64 = 4096
    /// The filesystem's checker looks at one of so many images.
    package var checkPeriod = BlockSetup.usualCheckPeriod

    package static let usualCheckPeriod = 16

    package init(_ filesystem: BlockFilesystem) { self.filesystem = filesystem }

    /// What a run needs of the machine.
    package var needs: [MachineNeed] { [.root, .fuse, .loopDevices, .makeFilesystem(filesystem.type)] }
}
