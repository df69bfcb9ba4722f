/// How a filesystem behaves after an fsync that failed and lost data: on each the pages are marked clean, so that a
/// later fsync writes nothing and succeeds; each open file reports the error once.
///
/// Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
public enum FsyncLoss: String, Hashable, Sendable, CaseIterable {
    /// Reads see the new bytes as long as they are cached, then the old ones. A page that is written again is whole
    /// again.
    case ext4
    /// ext4 with data=journal: as ext4, but this fsync returns 0 and the next one reports the error.
    case ext4Journal = "ext4-journal"
    /// As ext4.
    case xfs
    /// The file is what it was at the last fsync that succeeded, its size too, at once.
    case btrfs

    /// Whether programs see the loss at once.
    public var revertsAtOnce: Bool { self == .btrfs }

    /// Whether the fsync that loses the data returns 0.
    public var reportsLate: Bool { self == .ext4Journal }
}
