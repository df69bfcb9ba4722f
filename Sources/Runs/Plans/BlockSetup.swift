import Block
import Machine

/// The filesystem and block device below a store, and how often the filesystem is checked.
package struct BlockSetup: Hashable, Codable, Sendable {
    package var filesystem: BlockFilesystem
    /// The atomic write unit of the device: 4096 or 512 bytes.
    package var sectorBytes: UInt64 = 4096
    /// The filesystem checker runs on one of this many images.
    package var checkPeriod = BlockSetup.defaultCheckPeriod

    package static let defaultCheckPeriod = 16

    package init(_ filesystem: BlockFilesystem) { self.filesystem = filesystem }

    /// The machine features that a run needs.
    package var needs: [MachineNeed] { [.root, .fuse, .loopDevices, .makeFilesystem(filesystem.type)] }
}
