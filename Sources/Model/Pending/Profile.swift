/// A persistence model: which sets of atoms may survive a crash.
///
/// In order from the strongest to the weakest. A failure is reported under the strongest profile that shows it.
/// `docs/crash-model.md` explains each with its sources.
public enum Profile: String, CaseIterable, Codable, Sendable {
    /// A process crash: the operating system keeps everything.
    case kill
    /// A prefix of the trace survives.
    case strict
    /// ext4 with data=journal: a total order of data and metadata.
    case ext4Journal = "ext4-journal"
    /// ext4 with its defaults: metadata in order, overwrites in any order.
    case ext4Ordered = "ext4-ordered"
    /// ext4 with data=writeback: as ext4-ordered, but sizes of extending writes are not ordered with metadata.
    case ext4Writeback = "ext4-writeback"
    case xfs
    case btrfs
    /// Only the guarantees of POSIX: each slot survives on its own.
    case posixMin = "posix-min"
    /// A block device: one file whose sectors survive independently. Not comparable with the profiles of filesystems.
    case block

    /// All profiles but `block`, in the same order.
    public static let filesystems: [Profile] = allCases.filter { $0 != .block }

    /// The weaker filesystem profiles: they allow states that this one does not.
    public var weaker: [Profile] {
        guard let index = Profile.filesystems.firstIndex(of: self) else { return [] }
        return Array(Profile.filesystems[(index + 1)...])
    }
}
