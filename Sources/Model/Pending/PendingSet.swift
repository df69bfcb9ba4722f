import Bytes

/// The page size of the page cache. Sizes grow, and writes are torn, at its multiples.
let pageBytes: UInt64 = 4096

/// The effects that a crash may lose at a point of a trace, and the tree that it cannot lose.
///
/// The set reads the events of one trace, one at a time. At any moment it knows which effects are durable (applied to
/// `durable`), which are pending, and which must survive together. FaultFS, the explorer and every other reader of a trace
/// use only this type to decide which states a crash may leave.
///
/// Invariants:
/// - an effect is either pending or applied to `durable`; a durable effect never becomes pending again;
/// - durable effects are closed: the dependencies (`Requirements`) of a durable effect are durable too, or overwritten;
/// - effects are in trace order; applying any closed choice of them to `durable`, in order, gives a legal tree;
/// - memory is in proportion to the existing inodes and names and the pending effects, not to the length of the trace.
///
/// Not modelled: timestamps; fast_commit; noauto_da_alloc; stale blocks (lost new data reads as zeros).
/// `docs/crash-model.md` has the whole list.
///
/// A value type: copies are independent. Not safe to change from several threads.
public struct PendingSet: Sendable {
    public let profile: Profile
    let rules: ProfileRules
    /// The size in bytes of a unit, the smallest run of data that survives on its own: 512 or 4096.
    public let unitBytes: UInt64
    /// The trace's data, read to find writes that change nothing.
    let payloads: (any PayloadStore)?
    let keepsContent: Bool

    /// The tree that every crash keeps.
    public internal(set) var durable: Tree
    /// Depends on the profile's order: every pending effect (total), metadata, or names (slots). The other effects are in
    /// the queues of their inodes.
    var ordered = EffectQueue()
    /// How many effects in `ordered` change unreachable inodes.
    var orphanedCount = 0
    var effectCount = 0
    var nextNumber = 0
    /// The number of the latest metadata effect.
    var lastMetadataNumber = -1
    /// The number of events read so far, which is the current crash point.
    public internal(set) var eventCount = 0
    /// For `.slots`: the number of the latest version of each name, and of the latest move of a directory. Some may be
    /// durable by now.
    var latestNames: [DirectoryEntry: Int] = [:]
    var latestMove = -1

    /// For `logsSlots`.
    var log = LogTree()

    /// The names and sizes that running programs see.
    var names: [DirectoryEntry: InodeID] = [:]
    var inodes = InodeTable()
    var barriers: [OperationID: BarrierState] = [:]
    /// Operations that are recorded but not complete.
    var inFlight: [OperationID: InFlight] = [:]

    /// The set at the start of a trace. All of `base` is durable.
    ///
    /// - Parameters:
    ///   - unitBytes: 512 or 4096. nil: the profile's usual unit, which is 4096 for `btrfs` and `block`, and 512 otherwise.
    ///   - payloads: if given, each write is compared with the bytes that it replaces; equal units add no atoms.
    public init(
        profile: Profile, base: Tree = Tree(), unitBytes: UInt64? = nil, payloads: (any PayloadStore)? = nil
    ) {
        self.init(profile: profile, rules: profile.rules, base: base, unitBytes: unitBytes, payloads: payloads)
    }

    /// The same with arbitrary rules, for tests that change one rule and expect other outcomes.
    package init(
        profile: Profile, rules: ProfileRules, base: Tree, unitBytes: UInt64?, payloads: (any PayloadStore)? = nil
    ) {
        self.profile = profile
        self.rules = rules
        self.unitBytes = max(unitBytes ?? rules.defaultUnitBytes, rules.smallestUnitBytes)
        self.payloads = payloads
        keepsContent = payloads != nil
        durable = base
        for (inode, node) in base.nodes {
            // No filesystem exposes bytes that were beyond the end of the file at mount time.
            durable.nodes[inode]?.content.zero(node.sizeBytes..<UInt64.max)
            inodes[at: inodes.insert(inode)].take(node, keepingContent: keepsContent)
            for (name, child) in node.entries {
                names[DirectoryEntry(inode, name)] = child
                inodes[at: inodes.insert(child)].nameCount += 1
            }
        }
        durable.beginHistory()
    }

    /// An inode as running programs see it, and its pending effects.
    struct InodeState: Sendable {
        var sizeBytes: UInt64 = 0
        /// All bytes from here on read as zeros.
        var contentEndBytes: UInt64 = 0
        /// The number of durable and pending names that refer to the inode. At 0 the inode is unreachable.
        var nameCount = 0
        var attributes = Attributes(mode: 0)
        var extendedAttributes: [ByteString: ByteString] = [:]
        /// The content, if writes are compared with it.
        var content: ExtentMap?
        /// Growth before this number is of a size that a truncate or an allocation replaced.
        var resizedAt = -1
        /// Pending writes and growths; for `.slots` also zeros and sizes.
        var data = EffectQueue()
        /// Pending attributes, for `.slots`.
        var others = EffectQueue()
        /// How many effects in `ordered` change the inode. A name changes its directory.
        var orderedCount = 0
        /// Writes covered by a failed fsync.
        var failedFsync = FailedFsyncWrites()
        /// For `.slots`: the numbers of the pending names that refer to the inode, or did before. Some may be durable by
        /// now.
        var ownNames: [Int] = []
        /// The numbers of the latest completed metadata effects that changed the inode, its size, its name.
        var lastChange = -1
        var lastSizeChange = -1
        var lastNameChange = -1
        /// For `logsSlots`: effects with lower numbers may be in the log with the inode; -1 if none, `Int.max` while a sync
        /// of it is in flight.
        var loggedUpTo = -1
        /// The number of the latest effect on it that a sync surely logged, or a commit; -1 if there is none.
        var lastLoggedEffect = -1
        /// The number of the latest completed write, for data=journal.
        var lastDataChange = -1

        /// Extends the file over a write up to `end`. Returns the old size.
        mutating func write(upTo end: UInt64) -> UInt64 {
            let size = sizeBytes
            if end > contentEndBytes { contentEndBytes = end }
            if end > size { sizeBytes = end }
            return size
        }

        mutating func take(_ node: Node, keepingContent: Bool) {
            sizeBytes = node.sizeBytes
            contentEndBytes = min(node.content.endBytes, sizeBytes)
            attributes = node.attributes
            extendedAttributes = node.extendedAttributes
            if keepingContent { content = node.content }
        }
    }

    struct InFlight: Sendable {
        var numbers: Range<Int>
        /// The inode whose slots it changes; for names, their directory.
        var inode: InodeID
        var touched: Touched
    }

    struct BarrierState: Sendable {
        var barrier: Barrier
        /// The number of events when it began. It covers operations that had completed by then.
        var beganAt: Int
        /// Effects with lower numbers were recorded by then.
        var firstNumber: Int
        /// Whether all of them had completed.
        var allHadCompleted: Bool
        /// It covers metadata effects up to this number.
        var metadataCut: Int
    }
}

extension PendingSet {
    /// Reads the next event of the trace.
    public mutating func add(_ event: TraceEvent) {
        if rules.everythingPersists { persistEverything(butLastWrite: false) }
        eventCount += 1
        switch event {
        case .operation(let operation): add(operation)
        case .completed(let id): complete(id)
        case .barrierBegan(let id, let barrier, _): begin(id, barrier)
        case .barrierEnded(let id, let errno): end(id, succeeded: errno == 0)
        case .oracle, .fault: break
        }
        if rules.everythingPersists { persistEverything(butLastWrite: true) }
    }

    /// The number of pending effects. A run of data counts once.
    public var pendingEffectCount: Int { effectCount - orphanedCount }

    /// Whether the inode has a name, or a crash could leave it with one.
    public func canReach(_ inode: InodeID) -> Bool { inodes.contains(inode) }

    /// The pending effects in trace order. Without `withFailedFsync`, only those that a barrier can make durable.
    func pendingEffects(withFailedFsync: Bool = true) -> [PendingEffect] {
        var effects: [PendingEffect] = []
        effects.reserveCapacity(effectCount)
        for pending in ordered where orphanedCount == 0 || inodes.contains(pending.effect.inode) {
            effects.append(pending)
        }
        var isSorted = true
        func take(_ more: some Sequence<PendingEffect>) {
            isSorted = isSorted && effects.isEmpty
            effects += more
        }
        inodes.forEachPending { state in
            if !state.data.isEmpty { take(state.data) }
            if !state.others.isEmpty { take(state.others) }
            if withFailedFsync, !state.failedFsync.isEmpty { take(state.failedFsync.pending) }
        }
        if !isSorted { effects.sort { $0.number < $1.number } }
        return effects
    }
}

extension PendingSet {
    /// The number of items in memory: effects, inodes, names, extents of durable content, operations in flight. For tests
    /// that memory does not grow with the length of a trace.
    package var heldCount: Int {
        let perInode = inodes.values.map {
            $0.data.heldCount + $0.others.heldCount + $0.failedFsync.heldCount + $0.ownNames.count
                + $0.extendedAttributes.count + 1
        }
        let durableCount = durable.nodes.values.map { $0.content.count + $0.entries.count + 1 }
        return ordered.heldCount + perInode.reduce(0, +) + durableCount.reduce(0, +) + names.count + barriers.count
            + inFlight.count + latestNames.count + log.names.count + log.replaced.count
    }
}
