import Model

/// A filesystem of this kernel, made and mounted in one way, with the profile that speaks for it.
enum RealFilesystem: String, CaseIterable, Sendable {
    case ext4
    case ext4Journal = "ext4 data=journal"
    case ext4Writeback = "ext4 data=writeback"
    case xfs
    case btrfs

    var profile: Profile {
        switch self {
        case .ext4: .ext4Ordered
        case .ext4Journal: .ext4Journal
        case .ext4Writeback: .ext4Writeback
        case .xfs: .xfs
        case .btrfs: .btrfs
        }
    }

    var tool: String { "mkfs." + type }

    /// The Debian package that has the tool.
    var package: String {
        switch self {
        case .ext4, .ext4Journal, .ext4Writeback: "e2fsprogs"
        case .xfs: "xfsprogs"
        case .btrfs: "btrfs-progs"
        }
    }

    var type: String {
        switch self {
        case .ext4, .ext4Journal, .ext4Writeback: "ext4"
        case .xfs: "xfs"
        case .btrfs: "btrfs"
        }
    }

    var sizeMegabytes: Int {
        switch self {
        case .ext4, .ext4Journal, .ext4Writeback: 48
        case .xfs: 300
        case .btrfs: 256
        }
    }

    var mkfs: [String] {
        switch self {
        case .ext4, .ext4Journal, .ext4Writeback:
            [tool, "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0"]
        case .xfs: [tool, "-q", "-f"]
        case .btrfs: [tool, "-q", "-f"]
        }
    }

    var mountOptions: String {
        switch self {
        case .ext4: ""
        case .ext4Journal: "data=journal"
        case .ext4Writeback: "data=writeback"
        case .xfs: "nouuid"
        case .btrfs: ""
        }
    }

    /// The same filesystem is mounted from several images, one after the other.
    var recoveryOptions: String { self == .xfs ? "nouuid" : "" }
}
