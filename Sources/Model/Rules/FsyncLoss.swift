/// How a filesystem behaves after an fsync that failed and lost data. All of them mark the pages clean, so that a later
/// fsync writes nothing and succeeds. Each open file reports the error once.
///
/// Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
public enum FsyncLoss: String, Hashable, Sendable, CaseIterable {
    /// Reads see the new bytes while they are cached, then the old ones. Writing to a page makes all of it dirty again.
    case ext4
    /// ext4 with data=journal: as ext4, but this fsync returns 0 and the next one reports the error.
    case ext4Journal = "ext4-journal"
    /// As ext4.
    case xfs
    /// The file, including its size, immediately reverts to its content at the last successful fsync.
    case btrfs

    /// Whether programs see the loss immediately.
    public var revertsAtOnce: Bool { self == .btrfs }

    /// Whether the fsync that loses the data returns 0.
    public var reportsLate: Bool { self == .ext4Journal }
}
