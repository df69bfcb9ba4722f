/// What a profile's name stands for. One table, read by the pending set; there is no other place for these rules.
///
/// `docs/crash-model.md` says how each field was settled, and a test flips each to see that it matters.
package struct ProfileRules: Hashable, Sendable {
    package enum Order: CaseIterable, Sendable {
        /// One order for everything: what survives is a prefix, and the last write may survive as a page prefix.
        case total
        /// Names, truncates, allocations and attributes survive as a prefix; data is free.
        case metadata
        /// Each slot on its own.
        case slots
    }

    /// What a successful barrier on one inode promises.
    package enum Scope: Hashable, Sendable {
        case everything
        /// The inode's data and sizes, and what the journal keeps in order, up to the inode's last change: metadata, or
        /// where data is in the journal too, everything.
        case journal(upTo: JournalMark)
        /// The inode's data and sizes, and its other slots: attributes and a directory's names, the inode's own names.
        case slots(attributes: Bool, ownNames: Bool)
    }

    /// Which change of an inode decides how far a journal must be written.
    package enum JournalMark: CaseIterable, Sendable {
        case anyChange
        case sizeChange
        case sizeOrNameChange
    }

    package var order: Order
    /// Everything is durable at once; only the last write may be cut short.
    package var everythingPersists = false
    /// A size step of an extending write survives only with the metadata that came before the write.
    package var growthFollowsMetadata = false
    /// A hole or a zeroed range that ends within growth makes its end one more size that may survive (own experiment on
    /// kernel 6.18; fs/ext4/inode.c, ext4_update_disksize_before_punch).
    package var zeroingStopsGrowth = false
    /// A rename of a file may leave both names, and across directories neither.
    package var renameSplits = false
    /// The smallest unit that a caller may ask for, in bytes.
    package var smallestUnitBytes: UInt64 = 512
    /// The unit when the caller asks for none, in bytes.
    package var usualUnitBytes: UInt64 = 512
    package var fsync: Scope
    package var fdatasync: Scope
}

extension Profile {
    package var rules: ProfileRules {
        switch self {
        case .kill:
            ProfileRules(order: .total, everythingPersists: true, fsync: .everything, fdatasync: .everything)
        case .strict:
            ProfileRules(order: .total, fsync: .everything, fdatasync: .everything)
        case .ext4Journal:
            ProfileRules(
                order: .total, fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeChange))
        case .ext4Ordered:
            ProfileRules(
                order: .metadata, growthFollowsMetadata: true, zeroingStopsGrowth: true,
                fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeChange))
        case .ext4Writeback:
            ProfileRules(
                order: .metadata, zeroingStopsGrowth: true,
                fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeChange))
        case .xfs:
            ProfileRules(
                order: .metadata, growthFollowsMetadata: true,
                fsync: .journal(upTo: .anyChange), fdatasync: .journal(upTo: .sizeOrNameChange))
        case .btrfs:
            ProfileRules(
                order: .slots,
                smallestUnitBytes: pageBytes, usualUnitBytes: pageBytes,
                fsync: .slots(attributes: true, ownNames: true),
                fdatasync: .slots(attributes: true, ownNames: true))
        case .posixMin:
            ProfileRules(
                order: .slots, zeroingStopsGrowth: true, renameSplits: true,
                fsync: .slots(attributes: true, ownNames: false),
                fdatasync: .slots(attributes: false, ownNames: false))
        case .block:
            ProfileRules(
                order: .slots, usualUnitBytes: pageBytes,
                fsync: .everything, fdatasync: .everything)
        }
    }
}
