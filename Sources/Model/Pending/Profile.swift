/// A persistence model: which sets of atoms may survive a crash.
///
/// Listed from the strongest to the weakest; a failure is reported with the strongest profile that still shows it.
/// `docs/crash-model.md` explains each with its sources.
public enum Profile: String, CaseIterable, Codable, Sendable {
    /// A process crash: the operating system keeps everything.
    case kill
    /// What survives is a prefix of the trace.
    case strict
    /// ext4 with data=journal: one order for everything.
    case ext4Journal = "ext4-journal"
    /// ext4 with its defaults: metadata in order, overwrites free.
    case ext4Ordered = "ext4-ordered"
    /// ext4 with data=writeback: as ext4-ordered, but the sizes of extending writes float.
    case ext4Writeback = "ext4-writeback"
    case xfs
    case btrfs
    /// No more than POSIX promises: each slot on its own.
    case posixMin = "posix-min"
    /// A block device: one file whose sectors survive each on its own. Never compared with the profiles of filesystems.
    case block

    /// The profiles of filesystems and of processes, in the same order: all but `block`.
    public static let filesystems: [Profile] = allCases.filter { $0 != .block }

    /// The profiles of filesystems that may leave states which this one does not.
    public var weaker: [Profile] {
        guard let place = Profile.filesystems.firstIndex(of: self) else { return [] }
        return Array(Profile.filesystems[(place + 1)...])
    }
}
