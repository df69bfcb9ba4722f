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
/// - parts are in trace order, and applying any closed choice of them to `durable`, in order, gives a legal tree;
/// - when a part becomes durable, everything earlier that it overrides in its slot leaves the set.
///
/// Not modelled: timestamps; fast_commit; noauto_da_alloc; the exposure of stale blocks (lost new data reads as zeros).
///
/// A value type: copies are independent. Not safe to change from several threads.
public struct PendingSet: Sendable {
    public let profile: Profile
    let rules: ProfileRules
    /// The size of the smallest run of data that survives on its own, in bytes: 512, or 4096.
    public let unitBytes: UInt64

    /// What a crash keeps whatever happens.
    public internal(set) var durable: Tree
    /// Pending parts in trace order, with dead ones among them until `compact` runs.
    var parts: [Part] = []
    var deadCount = 0
    var nextNumber = 0
    /// How many events have been taken: the crash point reached.
    public internal(set) var eventCount = 0

    /// The names and sizes that running programs see.
    var names: [Entry: InodeID] = [:]
    var inodes: [InodeID: InodeState] = [:]
    var barriers: [OperationID: BarrierState] = [:]
    /// Numbers of the pending metadata parts, in order; used where metadata persists as a prefix.
    var metadataNumbers: [Int] = []
    /// Operations that are recorded but not yet complete.
    var inFlight: [OperationID: InFlight] = [:]

    /// The set at the beginning of a trace that starts from `base`, all of which is durable.
    public init(profile: Profile, base: Tree = Tree(), unitBytes: UInt64 = 512) {
        self.profile = profile
        rules = profile.rules
        self.unitBytes = rules.pagesAreAtomic ? pageBytes : unitBytes
        durable = base
        for (inode, node) in base.nodes {
            inodes[inode, default: InodeState()].sizeBytes = node.sizeBytes
            for (name, child) in node.entries {
                names[Entry(inode, name)] = child
                inodes[child, default: InodeState()].nameCount += 1
            }
        }
    }

    /// One effect that a crash may keep or lose.
    struct Part: Sendable {
        /// Rises by one over the parts of a trace.
        var number: Int
        var operation: OperationID
        /// Which part of its operation this is, from 0.
        var index: UInt8
        var effect: Effect
        /// The number of events that had been taken when the operation had completed; `Int.max` while in flight.
        var completedAt: Int
        var bond = Bond.none
        /// The source of a rename over an existing name; see `ProfileRules.replaceNeedsData`.
        var replaces: InodeID?
        /// A barrier over it failed: no later barrier makes it durable.
        var isUnsyncable = false
        var isLive = true
        /// Of a write: the bytes that are durable or overridden already.
        var gone = RangeSet<UInt64>()

        /// Of a write: the bytes that a crash may keep or lose.
        var pendingBytes: RangeSet<UInt64> {
            guard let range = effect.dataRange else { return RangeSet() }
            return RangeSet(range).subtracting(gone)
        }
    }

    /// How a part hangs together with the other part of its operation.
    enum Bond: Sendable {
        case none
        /// Survives only together with the next part: the other name of a rename, the size of a truncate.
        case joinsNext
        /// Survives only if the part before it did: the old name goes only if the new one is there.
        case needsPrevious
    }

    struct InodeState: Sendable {
        var sizeBytes: UInt64 = 0
        /// Durable and pending names that mean the inode. At zero nothing can reach it any more.
        var nameCount = 0
        /// Numbers of pending parts of the inode's data and sizes, in order; dead ones may be among them.
        var data: [Int] = []
        /// Numbers of pending parts of its other slots; used where each slot is on its own.
        var others: [Int] = []
        /// Numbers of pending names that come to mean the inode, or stop to; used for a filesystem whose fsync of a
        /// file makes its names durable.
        var ownNames: [Int] = []
        /// The latest completed metadata part that changed the inode, its size, its name.
        var lastChange = -1
        var lastSizeChange = -1
        var lastNameChange = -1
    }

    struct InFlight: Sendable {
        var parts: Range<Int>
        var touched: Touched
    }

    struct BarrierState: Sendable {
        var barrier: Barrier
        /// The number of events that had been taken when it began: it covers what had completed by then.
        var beganAt: Int
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
        if deadCount > parts.count / 2 + 32 { compact() }
    }

    /// How many parts a crash may keep or lose now. A run of data counts once.
    public var pendingPartCount: Int { parts.count - deadCount }

    mutating func append(
        _ effect: Effect, of operation: Operation, index: UInt8 = 0, bond: Bond = .none, replaces: InodeID? = nil
    ) {
        let part = Part(
            number: nextNumber, operation: operation.id, index: index, effect: effect,
            completedAt: operation.isComplete ? eventCount : .max, bond: bond, replaces: replaces)
        parts.append(part)
        nextNumber += 1
        register(part)
    }

    /// Enters a part in the lists through which barriers find it.
    private mutating func register(_ part: Part) {
        if rules.order == .total { return }
        let inode = part.effect.inode
        switch part.effect {
        case .write, .grow: inodes[inode, default: InodeState()].data.append(part.number)
        case .zero, .resize:
            inodes[inode, default: InodeState()].data.append(part.number)
            if rules.order == .metadata { metadataNumbers.append(part.number) }
        case .name, .attributes, .extendedAttribute:
            if rules.order == .metadata {
                metadataNumbers.append(part.number)
            } else {
                inodes[inode, default: InodeState()].others.append(part.number)
            }
        }
    }

    /// The place in `parts` of the live part with this number.
    func place(_ number: Int) -> Int? {
        var low = 0
        var high = parts.count
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < parts.count && parts[low].number == number && parts[low].isLive ? low : nil
    }

    mutating func bury(_ place: Int) {
        guard parts[place].isLive else { return }
        parts[place].isLive = false
        deadCount += 1
    }

    private mutating func compact() {
        parts.removeAll { !$0.isLive }
        deadCount = 0
        if let first = parts.first?.number { metadataNumbers.removeAll { $0 < first } }
    }
}
