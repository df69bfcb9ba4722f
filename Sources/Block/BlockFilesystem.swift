import Bytes
import Model

/// A filesystem of this kernel, made and mounted in one way. The raw value is its name on the command line.
package enum BlockFilesystem: String, CaseIterable, Codable, Sendable {
    case ext4
    case ext4Journal = "ext4-journal"
    case ext4Writeback = "ext4-writeback"
    case ext4FastCommit = "ext4-fast-commit"
    case ext4NoDelayedAllocation = "ext4-nodelalloc"
    case xfs
    case btrfs
    case btrfsNoDataCopy = "btrfs-nodatacow"
    case f2fs
    /// Without a journal: a control that must fail.
    case ext2

    package enum Family: String, Sendable {
        case ext4, xfs, btrfs, f2fs, ext2
    }

    package var family: Family {
        switch self {
        case .ext4, .ext4Journal, .ext4Writeback, .ext4FastCommit, .ext4NoDelayedAllocation: .ext4
        case .xfs: .xfs
        case .btrfs, .btrfsNoDataCopy: .btrfs
        case .f2fs: .f2fs
        case .ext2: .ext2
        }
    }

    /// As mount(2) calls it.
    package var type: String { family.rawValue }

    /// The profile that speaks for it; nil where there is none.
    ///
    /// A fast commit has the changed names and the synced file, and not the modes of other inodes that changed before
    /// (litmus script 82): none but the weakest profile allows that. F2fs replays the nodes of synced files alone onto its
    /// last checkpoint (Documentation/filesystems/f2fs.rst), so that the weakest stands for it, too.
    package var profile: Profile? {
        switch self {
        case .ext4, .ext4NoDelayedAllocation: .ext4Ordered
        case .ext4FastCommit, .f2fs: .posixMin
        case .ext4Journal: .ext4Journal
        case .ext4Writeback: .ext4Writeback
        case .xfs: .xfs
        case .btrfs, .btrfsNoDataCopy: .btrfs
        case .ext2: nil
        }
    }

    /// How large its device is. What is never written takes no room.
    package var sizeBytes: UInt64 {
        switch family {
        case .ext4, .ext2: 64 << 20
        case .xfs: 300 << 20
        case .btrfs: 256 << 20
        case .f2fs: 128 << 20
        }
    }

    /// The program that makes it, with its options: the file comes last.
    package func makeWords(sectorBytes: UInt32) -> [String] {
        switch self {
        case .ext4FastCommit: ["mkfs.ext4"] + Self.makeExtended + ["-O", "fast_commit"]
        case .ext4, .ext4Journal, .ext4Writeback, .ext4NoDelayedAllocation: ["mkfs.ext4"] + Self.makeExtended
        case .ext2: ["mkfs.ext2", "-q", "-F", "-b", "4096"]
        case .xfs: ["mkfs.xfs", "-q", "-f", "-s", "size=\(sectorBytes)"]
        case .btrfs, .btrfsNoDataCopy: ["mkfs.btrfs", "-q", "-f"]
        case .f2fs: ["mkfs.f2fs", "-q", "-f", "-w", "\(sectorBytes)"]
        }
    }

    /// Nothing is left to be initialised in the background while a run is recorded.
    private static let makeExtended = ["-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0"]

    /// What mount(2) is told, both while a run is recorded and for each image.
    package var mountOptions: String {
        switch self {
        case .ext4, .ext4FastCommit, .ext2, .btrfs, .f2fs: ""
        case .ext4Journal: "data=journal"
        case .ext4Writeback: "data=writeback"
        case .ext4NoDelayedAllocation: "nodelalloc"
        // Several images of one filesystem are mounted at once.
        case .xfs: "nouuid"
        case .btrfsNoDataCopy: "nodatacow"
        }
    }

    /// The program that checks it and changes nothing: the image comes last. It ends with 0 where all is well.
    package var checkWords: [String] {
        switch family {
        case .ext4, .ext2: ["e2fsck", "-f", "-n"]
        case .xfs: ["xfs_repair", "-n", "-f"]
        case .btrfs: ["btrfs", "check", "--readonly"]
        case .f2fs: ["fsck.f2fs", "--dry-run"]
        }
    }

    /// The Debian package that has its programs.
    package var package: String {
        switch family {
        case .ext4, .ext2: "e2fsprogs"
        case .xfs: "xfsprogs"
        case .btrfs: "btrfs-progs"
        case .f2fs: "f2fs-tools"
        }
    }
}
