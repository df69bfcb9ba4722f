/// A persistence model: which sets of atoms may survive a crash.
///
/// Listed from the strongest to the weakest; a failure is reported with the strongest profile that still shows it.
/// `docs/crash-model.md` explains each with its sources.
public enum Profile: String, CaseIterable, Sendable {
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
}

/// What a profile's name stands for. One table, read by the pending set; there is no other place for these rules.
struct ProfileRules {
    enum Order {
        /// One order for everything: what survives is a prefix, and the last write may survive as a page prefix.
        case total
        /// Names, truncates, allocations and attributes survive as a prefix; data is free.
        case metadata
        /// Each slot on its own.
        case slots
    }

    /// What a successful barrier on one inode promises.
    enum Scope {
        case everything
        /// The inode's data and sizes, and all metadata up to the inode's last change.
        case journal(upTo: JournalMark)
        /// The inode's data and sizes, and its other slots: attributes, and a directory's names.
        case slots(attributes: Bool, ownNames: Bool)
    }

    /// Which change of an inode decides how far a journal must be written.
    enum JournalMark {
        case anyChange
        case sizeChange
        case sizeOrNameChange
    }

    var order: Order
    /// Everything is durable at once; only the last write may be cut short.
    var everythingPersists = false
    /// A size step of an extending write survives only with the metadata that came before the write.
    var growthFollowsMetadata = false
    /// A size step survives only with all new data below it.
    var growthNeedsData = false
    /// A rename over an existing name survives only with the source's data and size.
    var replaceNeedsData = false
    /// A rename may leave both names, and across directories neither.
    var renameSplits = false
    /// Data survives in whole pages of 4 KiB, whatever the unit.
    var pagesAreAtomic = false
    var fsync: Scope
    var fdatasync: Scope
}

extension Profile {
    var rules: ProfileRules {
        switch self {
        case .kill:
            ProfileRules(order: .total, everythingPersists: true, fsync: .everything, fdatasync: .everything)
        case .strict, .ext4Journal:
            ProfileRules(order: .total, fsync: .everything, fdatasync: .everything)
        case .ext4Ordered:
            ProfileRules(
                order: .metadata, growthFollowsMetadata: true,
                fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeChange))
        case .ext4Writeback:
            ProfileRules(
                order: .metadata, fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeChange))
        case .xfs:
            ProfileRules(
                order: .metadata, growthFollowsMetadata: true,
                fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeOrNameChange))
        case .btrfs:
            ProfileRules(
                order: .slots, growthNeedsData: true, replaceNeedsData: true, pagesAreAtomic: true,
                fsync: .slots(attributes: true, ownNames: true),
                fdatasync: .slots(attributes: true, ownNames: true))
        case .posixMin:
            ProfileRules(
                order: .slots, renameSplits: true,
                fsync: .slots(attributes: true, ownNames: false),
                fdatasync: .slots(attributes: false, ownNames: false))
        }
    }
}
