import Glibc
import Model
import Platform
import Synchronization

/// Tracks the unsynced changes: those that a crash could lose now. It follows the recording under the mount's profile,
/// so memory and query cost are in proportion to the unsynced changes, not to the length of the trace.
///
/// Events are processed in batches of 512, or on a query. One by one, between requests, each would run with cold
/// processor caches, which costs more than the work itself.
///
/// Threading: one lock, taken last.
final class UnsyncedTracker: @unchecked Sendable {
    /// The tree at mount time.
    private let base: Tree
    private let trace: any TraceSink
    private let undo: UndoStore
    private let lock = Lock()
    // Only accessed under the lock: run-time exclusivity checks are not needed.
    @exclusivity(unchecked) private var current: PendingSet
    @exclusivity(unchecked) private var batch: [TraceEvent] = []
    private static let batchLimit = 512
    private let didProcessBatch = Atomic<Bool>(false)

    init(base: Tree, trace: any TraceSink, profile: Profile, undo: UndoStore) {
        self.base = base
        self.trace = trace
        self.undo = undo
        current = PendingSet(profile: profile, base: base)
        batch.reserveCapacity(Self.batchLimit)
    }

    /// All data: recorded writes and base contents.
    var payloads: MountPayloads { MountPayloads(recorded: trace.payloads, base: undo) }

    /// Adds a recorded event, in trace order.
    func append(_ event: TraceEvent) {
        lock.lock()
        defer { lock.unlock() }
        batch.append(event)
        if batch.count == Self.batchLimit {
            processBatch()
            didProcessBatch.store(true, ordering: .relaxed)
        }
    }

    /// Whether a batch was processed since the last call.
    func takeBatchFlag() -> Bool {
        didProcessBatch.load(ordering: .relaxed) && didProcessBatch.exchange(false, ordering: .relaxed)
    }

    /// Under the lock.
    private func processBatch() {
        for event in batch { current.add(event) }
        batch.removeAll(keepingCapacity: true)
    }

    /// The pending set under the mount's profile.
    func pending() -> PendingSet {
        lock.withLock {
            processBatch()
            return current
        }
    }

    /// The pending set under any profile. Another profile than the mount's replays the whole trace; nothing may be
    /// recorded meanwhile.
    func pending(_ profile: Profile, unitBytes: UInt64? = nil) throws -> PendingSet {
        let current = pending()
        if profile == current.profile, unitBytes == nil || unitBytes == current.unitBytes { return current }
        var pending = PendingSet(profile: profile, base: base, unitBytes: unitBytes)
        try trace.forEachEvent { pending.add($0) }
        return pending
    }

    /// An inode's current and its synced content; nil when no synced version exists.
    func contents(of inode: InodeID) -> (now: Model.Node, synced: Model.Node)? {
        let set = pending()
        guard let now = set.tree(set.survivors(.everything)).nodes[inode],
            let synced = set.durable.nodes[inode]
        else { return nil }
        return (now, synced)
    }

    /// Whether the inode has a name in some crash state.
    func canReach(_ inode: InodeID) -> Bool {
        lock.withLock {
            processBatch()
            return current.canReach(inode)
        }
    }
}
