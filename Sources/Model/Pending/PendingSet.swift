import Bytes

/// The page of the page cache: sizes move and pages are torn at its boundaries.
let pageBytes: UInt64 = 4096

/// What a crash could lose right now, and what it could not.
///
/// The set takes the events of one trace, one at a time, and knows at any moment which effects are durable (they are in
/// `durable`), which are optional (they are parts of this set), and what must survive together. FaultFS, the explorer
/// and every other reader of a trace use this and nothing else to decide what a crash may leave.
///
/// Invariants:
/// - a part is either pending or has been applied to `durable`; durable only moves forward;
/// - what is durable is closed: whatever a durable part needs (`Requirements`) is durable too, or overridden;
/// - parts are in trace order, and applying any closed choice of them to `durable`, in order, gives a legal tree;
/// - memory is in proportion to the inodes and names that exist and to the parts that are pending, whatever the trace's
///   length.
///
/// Not modelled: timestamps; fast_commit; noauto_da_alloc; stale blocks (lost new data reads as zeros).
/// `docs/crash-model.md` has the whole list.
///
/// A value type: copies are independent. Not safe to change from several threads.
public struct PendingSet: Sendable {
    public let profile: Profile
    let rules: ProfileRules
    /// The size of the smallest run of data that survives on its own, in bytes: 512, or 4096.
    public let unitBytes: UInt64
    /// Where the trace's data can be read, to see that a write changes nothing.
    let payloads: (any PayloadStore)?
    let keepsContent: Bool

    /// What a crash keeps whatever happens.
    public internal(set) var durable: Tree
    /// By the profile's order: every pending part; the metadata; the names. All other parts are with their inodes.
    var ordered = EffectQueue()
    /// How many parts in `ordered` speak of inodes that nothing can reach any more.
    var strayCount = 0
    var effectCount = 0
    var nextNumber = 0
    /// The number of the latest part of metadata.
    var lastMetadataNumber = -1
    /// How many events have been taken: the crash point reached.
    public internal(set) var eventCount = 0
    /// Where each slot is on its own: the latest pending version of a name, by its number, and the latest move of a
    /// directory. Some may be durable by now.
    var latestNames: [Entry: Int] = [:]
    var latestMove = -1

    /// The names and sizes that running programs see.
    var names: [Entry: InodeID] = [:]
    var inodes = InodeTable()
    var barriers: [OperationID: BarrierState] = [:]
    /// Operations that are recorded but not yet complete.
    var inFlight: [OperationID: InFlight] = [:]

    /// The set at the beginning of a trace that starts from `base`, all of which is durable.
    ///
    /// `unitBytes`: 512 or 4096; where it is nil the profile's usual unit, which is 512 for files, 4096 for `btrfs` and
    /// `block`. With `payloads`, a write of what is there already adds nothing that a crash could lose; each write is
    /// then read and compared.
    public init(
        profile: Profile, base: Tree = Tree(), unitBytes: UInt64? = nil, payloads: (any PayloadStore)? = nil
    ) {
        self.init(profile: profile, rules: profile.rules, base: base, unitBytes: unitBytes, payloads: payloads)
    }

    /// The same with rules that no profile has: for tests that change one rule to see who notices.
    package init(
        profile: Profile, rules: ProfileRules, base: Tree, unitBytes: UInt64?, payloads: (any PayloadStore)? = nil
    ) {
        self.profile = profile
        self.rules = rules
        self.unitBytes = max(unitBytes ?? rules.usualUnitBytes, rules.smallestUnitBytes)
        self.payloads = payloads
        keepsContent = payloads != nil
        durable = base
        for (inode, node) in base.nodes {
            // No filesystem shows again what lay beyond the end of a file when it was mounted.
            durable.nodes[inode]?.content.zero(node.sizeBytes..<UInt64.max)
            inodes[at: inodes.insert(inode)].take(node, keepingContent: keepsContent)
            for (name, child) in node.entries {
                names[Entry(inode, name)] = child
                inodes[at: inodes.insert(child)].nameCount += 1
            }
        }
    }

    /// What running programs see of an inode, and its pending parts.
    struct InodeState: Sendable {
        var sizeBytes: UInt64 = 0
        /// No byte from here on was ever written, or all were zeroed since.
        var contentEndBytes: UInt64 = 0
        /// Durable and pending names that mean the inode. At zero nothing can reach it any more.
        var nameCount = 0
        var attributes = Attributes(mode: 0)
        var extendedAttributes: [ByteString: ByteString] = [:]
        /// Kept only where writes are compared with it.
        var content: ExtentMap?
        /// Parts of the file's growth before this number are of a size that a truncate or an allocation replaced.
        var resizedAt = -1
        /// Pending writes and growths, and where each slot is on its own also zeros and sizes.
        var data = EffectQueue()
        /// Pending attributes, where each slot is on its own.
        var others = EffectQueue()
        /// How many parts in `ordered` change the inode; names change the directory that they lie in.
        var orderedCount = 0
        /// Writes that a failed barrier covered.
        var failedFsync = FailedFsyncWrites()
        /// Where each slot is on its own: the pending names that mean the inode, or did before, by their numbers. Some
        /// may be durable by now.
        var ownNames: [Int] = []
        /// The latest completed metadata part that changed the inode, its size, its name.
        var lastChange = -1
        var lastSizeChange = -1
        var lastNameChange = -1
        /// The latest completed write, where data is in the journal.
        var lastDataChange = -1

        /// Notes a write up to `end`, and returns the size before it.
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
        /// The inode whose slots it changes, unless they are names.
        var inode: InodeID
        var touched: Touched
    }

    struct BarrierState: Sendable {
        var barrier: Barrier
        /// The number of events that had been taken when it began: it covers what had completed by then.
        var beganAt: Int
        /// Parts with lower numbers had been recorded by then.
        var firstNumber: Int
        /// All of them had completed.
        var allHadCompleted: Bool
        /// Metadata parts up to this number are covered.
        var metadataCut: Int
    }
}

extension PendingSet {
    /// Takes the next event of the trace.
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

    /// How many parts a crash may keep or lose now. A run of data counts once.
    public var pendingEffectCount: Int { effectCount - strayCount }

    /// Whether the inode has a name, or a crash could leave it with one.
    public func canReach(_ inode: InodeID) -> Bool { inodes.contains(inode) }

    /// The pending parts in trace order; without the failedFsync, those that a barrier can make durable.
    func pendingEffects(withFailedFsync: Bool = true) -> [PendingEffect] {
        var parts: [PendingEffect] = []
        parts.reserveCapacity(effectCount)
        for part in ordered where strayCount == 0 || inodes.contains(part.effect.inode) { parts.append(part) }
        var isSorted = true
        func take(_ more: some Sequence<PendingEffect>) {
            isSorted = isSorted && parts.isEmpty
            parts += more
        }
        for state in inodes.values {
            if !state.data.isEmpty { take(state.data) }
            if !state.others.isEmpty { take(state.others) }
            if withFailedFsync, !state.failedFsync.isEmpty { take(state.failedFsync.pending) }
        }
        if !isSorted { parts.sort { $0.number < $1.number } }
        return parts
    }
}

extension PendingSet {
    /// How many things the set holds: parts, inodes, names, runs of durable content, operations under way. For tests
    /// that memory does not grow with the length of a trace.
    package var heldCount: Int {
        let perInode = inodes.values.map {
            $0.data.heldCount + $0.others.heldCount + $0.failedFsync.heldCount + $0.ownNames.count
                + $0.extendedAttributes.count + 1
        }
        let durableCount = durable.nodes.values.map { $0.content.count + $0.entries.count + 1 }
        return ordered.heldCount + perInode.reduce(0, +) + durableCount.reduce(0, +) + names.count + barriers.count
            + inFlight.count + latestNames.count
    }
}
