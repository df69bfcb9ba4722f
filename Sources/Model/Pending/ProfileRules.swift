/// The rules of a profile. This table is the only place that defines them; the pending set reads it.
///
/// `docs/crash-model.md` gives the evidence for each field. `MutationTests` changes each field and expects other outcomes.
package struct ProfileRules: Hashable, Sendable {
    package enum Order: CaseIterable, Sendable {
        /// A total order: a prefix of the trace survives. The last write may survive up to a page boundary.
        case total
        /// Names, truncates, allocations and attributes survive as a prefix. Data survives in any order.
        case metadata
        /// Each slot survives on its own.
        case slots
    }

    /// The effects that a successful barrier on one inode makes durable.
    package enum Scope: Hashable, Sendable {
        case everything
        /// The inode's data and sizes, and the journal up to the inode's last change. The journal holds the metadata; with
        /// a total order it holds everything.
        case journal(upTo: JournalMark)
        /// The inode's data and sizes, and optionally its other slots. With `Order.metadata` they go to a log of their own
        /// (`logsSlots`). `attributes`: its attributes and the names in it, if
        /// it is a directory. `ownNames`: the names that refer to it.
        case slots(attributes: Bool, ownNames: Bool)
    }

    /// The change of an inode up to which an fsync writes the journal.
    package enum JournalMark: CaseIterable, Sendable {
        case anyChange
        case sizeChange
        case sizeOrNameChange
    }

    package var order: Order
    /// Every change is durable immediately; only the last write may be cut short.
    package var everythingPersists = false
    /// The growth of an extending write survives only with all earlier metadata.
    package var growthFollowsMetadata = false
    /// The end of a punched hole or zeroed range within pending growth is one more size that may survive (own experiment
    /// on kernel 6.18; fs/ext4/inode.c, ext4_update_disksize_before_punch).
    package var zeroingStopsGrowth = false
    /// A rename of a file may leave both names, and across directories no name.
    package var renameSplits = false
    /// The smallest unit that a caller may ask for, in bytes.
    package var smallestUnitBytes: UInt64 = 512
    /// The unit if the caller asks for none, in bytes.
    package var defaultUnitBytes: UInt64 = 512
    package var fsync: Scope
    package var fdatasync: Scope
}

extension ProfileRules {
    /// Commits keep the order of metadata, but a sync writes its slots to a log, without the metadata before them
    /// (btrfs's log tree; fs/btrfs/tree-log.c). `LogTree` says what else may be in it.
    package var logsSlots: Bool {
        guard order == .metadata, case .slots = fsync else { return false }
        return true
    }

    /// Whether data, sizes and attributes are in the queues of their inodes, and only names in one queue.
    var queuesSlots: Bool { order == .slots || logsSlots }

    /// The rules by which an effect that becomes durable takes along what it needs.
    var whenCommitted: ProfileRules {
        guard logsSlots else { return self }
        var rules = self
        (rules.order, rules.growthFollowsMetadata) = (.slots, false)
        return rules
    }
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
                order: .metadata, growthFollowsMetadata: true,
                smallestUnitBytes: pageBytes, defaultUnitBytes: pageBytes,
                fsync: .slots(attributes: true, ownNames: true),
                fdatasync: .slots(attributes: true, ownNames: true))
        case .posixMin:
            ProfileRules(
                order: .slots, zeroingStopsGrowth: true, renameSplits: true,
                fsync: .slots(attributes: true, ownNames: false),
                fdatasync: .slots(attributes: false, ownNames: false))
        case .block:
            ProfileRules(
                order: .slots, defaultUnitBytes: pageBytes,
                fsync: .everything, fdatasync: .everything)
        }
    }
}
