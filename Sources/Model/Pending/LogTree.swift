/// What the log of a filesystem like btrfs may hold besides what a sync promises, since the last commit that is known.
///
/// btrfs commits all metadata at once and in order. But a sync writes its file or directory to a log tree, which a mount
/// replays onto the last commit. So a synced slot survives without metadata that came before it. With it may survive:
///
/// - names of the directory that holds a synced file, and of new directories above it, as the sync logs parents;
/// - what is done to a logged inode later: a rename or an unlink of it changes the log, and the next sync of anything writes
///   the log as it is then (fs/btrfs/tree-log.c: btrfs_log_new_name, btrfs_del_inode_ref_in_log, btrfs_log_all_parents,
///   log_new_dir_dentries; when a sync commits instead, all metadata before it survives, which is always allowed).
///
/// A sync of a file logs its names, not what they replaced or the old name in another directory, until that directory is
/// synced:
///
/// - a file that was renamed into a directory has both names where only the new directory is in the log;
/// - a name whose file was synced, and that is removed or replaced again, may mean what it meant before all of that: the
///   removal takes it out of the log, and the last commit has the old file (87, 88; seen on kernel 6.18).
///
/// A commit that nobody asked for may come at any time and empties the log, so that nothing is certain to be in it. But two
/// names of one directory keep their order where whatever logs the later also logs the earlier: a rename from a logged
/// directory, or of a file that was changed and synced after everything that could have logged the later one.
///
/// Not modelled: when a sync falls back to a commit. The profile is weaker there.
struct LogTree: Sendable {
    /// A name that an operation changed.
    struct Name: Sendable {
        /// What the name meant before.
        var old: InodeID?
        /// For a rename: the directory of the old name.
        var oldDirectory: InodeID?
        /// The file that it names is in every log that was begun since a commit before this effect; -1 if that is not certain.
        var carriedUpTo = -1
        /// Not what an operation did: the name means again what it meant before a sync of the file that replaced it.
        var isReturn = false

        init() {}

        /// A new name of files that may be in the log.
        init(carriedBy files: [InodeID], _ inodes: InodeTable) {
            carriedUpTo = files.map { inodes.index(of: $0).map { inodes[at: $0].lastLoggedEffect } ?? -1 }.min() ?? -1
        }
    }

    /// The number of the first effect after the first sync since a commit; nil if nothing can be in the log.
    var began: Int?
    /// By the number of the effect. Some may be durable by now.
    var names: [Int: Name] = [:]
    /// The numbers of those that return.
    var returns: Set<Int> = []
    /// What durable names meant in a commit, where only a sync of the file made their change durable. Oldest first; each
    /// counts as a name of its inode.
    var replaced: [DirectoryEntry: [InodeID]] = [:]
    /// What the barrier that ends now syncs; nil for a flush.
    var synced: InodeID?

    /// How many earlier meanings of a name are kept.
    static let replacedAtMost = 2
    /// The index of a returning name among the effects of its operation, beyond those of what the operation did.
    static let firstReturnIndex: UInt8 = 8

    /// How many earlier effects a name is compared with. Beyond them the profile is weaker.
    static let comparedAtMost = 256
}

extension PendingSet {
    /// Whether an effect may be in the log without all the metadata before it.
    enum LogAccess {
        case none
        /// Without any.
        case alone
        /// Without names that `logIncludes` does not say.
        case name
    }

    func logAccess(of pending: PendingEffect) -> LogAccess {
        guard log.began != nil else { return .none }
        switch pending.effect {
        case .name: return log.names[pending.number]?.isReturn == true ? .alone : .name
        case .attributes, .extendedAttribute: return .alone
        case .write, .grow, .zero, .resize:
            guard let at = inodes.index(of: pending.effect.inode) else { return .none }
            return inodes[at: at].loggedUpTo > pending.number ? .alone : .none
        }
    }

    /// Whether the log holds the earlier of two names wherever it holds the later one.
    func logIncludes(_ earlier: PendingEffect, with later: PendingEffect) -> Bool {
        guard let began = log.began, case .name(let entry, let inode) = later.effect,
            case .name(let other, _) = earlier.effect
        else { return false }
        let (name, before) = (log.names[later.number] ?? LogTree.Name(), log.names[earlier.number] ?? LogTree.Name())
        let isInDirectory = other.directory == entry.directory && earlier.number < began
        guard isInDirectory || before.oldDirectory == entry.directory else { return false }
        let logged =
            [inode, name.old, entry.directory, name.oldDirectory]
            .compactMap { $0.flatMap { inodes.index(of: $0) }.map { inodes[at: $0].loggedUpTo } }.max() ?? -1
        return before.carriedUpTo >= logged
    }

    // MARK: - Bookkeeping

    mutating func beginLogging(_ barrier: Barrier) {
        guard let inode = barrier.inode else { return }
        log.began = log.began ?? nextNumber
        if let at = inodes.index(of: inode) { inodes[at: at].loggedUpTo = .max }
    }

    /// To be called before the effects of the barrier become durable.
    mutating func endLogging(_ state: BarrierState, succeeded: Bool) {
        guard rules.logsSlots else { return }
        log.synced = state.barrier.inode
        guard let inode = state.barrier.inode else {
            if succeeded, barriers.values.allSatisfy({ $0.barrier.inode == nil }) { emptyLog() }
            return
        }
        guard let at = inodes.index(of: inode) else { return }
        if succeeded, isDirectory(inode) { forgetReplaced { $0.directory == inode } }
        if succeeded { inodes[at: at].lastLoggedEffect.raise(to: latestChange(of: at, coveredBy: state)) }
        let isInFlight = barriers.values.contains { $0.barrier.inode == inode }
        inodes[at: at].loggedUpTo = isInFlight ? .max : nextNumber
    }

    /// After a commit nothing is in the log.
    private mutating func emptyLog() {
        guard log.began != nil else { return }
        forgetReplaced { _ in true }
        log = LogTree()
        for inode in inodes.inodes {
            guard let at = inodes.index(of: inode) else { continue }
            (inodes[at: at].loggedUpTo, inodes[at: at].lastLoggedEffect) = (-1, -1)
        }
    }

    private func latestChange(of at: Int, coveredBy state: BarrierState) -> Int {
        func latest(_ queue: EffectQueue) -> Int { queue.last { $0.completedAt < state.beganAt }?.number ?? -1 }
        let name = inodes[at: at].ownNames.last { number in
            ordered.index(of: number).map { ordered[$0].completedAt < state.beganAt } ?? false
        }
        return max(latest(inodes[at: at].data), latest(inodes[at: at].others), name ?? -1)
    }

    /// A sync logged names of these inodes.
    mutating func noteLogged(_ children: [InodeID?]) {
        for case let child? in children {
            if let at = inodes.index(of: child) { inodes[at: at].loggedUpTo.raise(to: nextNumber) }
        }
    }

    // MARK: - Replaced names

    /// Whether a name that is durable now may mean `old` again when it changes.
    func mayReturn(_ entry: DirectoryEntry) -> Bool {
        guard log.began != nil, let synced = log.synced else { return false }
        return synced != entry.directory
    }

    /// Keeps what a durable name meant, if it may return.
    mutating func keepsReplaced(_ old: InodeID, at entry: DirectoryEntry) -> Bool {
        guard mayReturn(entry), durable[entry] != old, !isDirectory(old) else { return false }
        log.replaced[entry, default: []].append(old)
        if log.replaced[entry]!.count > LogTree.replacedAtMost { dropName(of: log.replaced[entry]!.removeFirst()) }
        if log.replaced.count > 2 * names.count + 32 { forgetReplaced { [inodes] in !inodes.contains($0.directory) } }
        return true
    }

    private mutating func forgetReplaced(where isGone: (DirectoryEntry) -> Bool) {
        guard !log.replaced.isEmpty else { return }
        let gone = log.replaced.filter { isGone($0.key) }
        for entry in gone.keys { log.replaced[entry] = nil }
        for old in gone.values.flatMap(\.self) { dropName(of: old) }
    }

    /// Before names change: each may mean again what it meant in a commit.
    mutating func returnReplaced(at entries: [DirectoryEntry], before operation: Operation) {
        guard !log.replaced.isEmpty else { return }
        var index = LogTree.firstReturnIndex
        for entry in entries {
            for old in log.replaced.removeValue(forKey: entry) ?? [] where inodes.contains(old) {
                var name = LogTree.Name()
                name.isReturn = true
                log.names[nextNumber] = name
                log.returns.insert(nextNumber)
                var pending = PendingEffect(.name(entry, old), of: operation, at: eventCount, index: index)
                // No sync of the file promises it.
                chain(&pending, entry, [])
                // It takes over the count of the name that was kept.
                enter(pending)
                index += 1
            }
        }
    }

    /// The next effect is this name.
    mutating func note(_ name: LogTree.Name, replacing old: InodeID?) {
        var name = name
        name.old = old
        log.names[nextNumber] = name
        if log.names.count > 2 * ordered.count + 32 {
            log.names = log.names.filter { $0.key == nextNumber || ordered.index(of: $0.key) != nil }
            log.returns = log.returns.filter { ordered.index(of: $0) != nil }
        }
    }
}

extension Barrier {
    /// The file or directory that is synced; nil for a flush of everything and for forced unit access.
    fileprivate var inode: InodeID? {
        switch self {
        case .fsync(let inode), .fdatasync(let inode): inode
        case .flush, .forceUnitAccess: nil
        }
    }
}
