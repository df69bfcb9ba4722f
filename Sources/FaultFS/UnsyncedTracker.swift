import Glibc
import Model
import Synchronization

/// What a crash could lose now. It follows the recording event by event, by the profile of the mount, so that its memory
/// and the cost of asking are in proportion to what is unsynced and not to the length of the trace.
///
/// Events wait until there are some hundred of them, or until somebody asks: taken one by one between two requests, each
/// would find the processor's caches cold, which cost more than the work.
///
/// Threading: one lock, taken last.
final class UnsyncedTracker: @unchecked Sendable {
    /// The tree as it was mounted.
    private let base: Tree
    private let trace: any TraceSink
    private let undo: UndoStore
    private let lock = Lock()
    // Touched beneath the lock alone: no need to check each access at run time.
    @exclusivity(unchecked) private var followed: PendingSet
    @exclusivity(unchecked) private var waiting: [TraceEvent] = []
    private static let waitingLimit = 512
    private let didCatchUp = Atomic<Bool>(false)

    init(base: Tree, trace: any TraceSink, profile: Profile, undo: UndoStore) {
        self.base = base
        self.trace = trace
        self.undo = undo
        followed = PendingSet(profile: profile, base: base)
        waiting.reserveCapacity(Self.waitingLimit)
    }

    /// The data of everything recorded and of the files as they were mounted.
    var payloads: MountPayloads { MountPayloads(recorded: trace.payloads, base: undo) }

    /// Takes what was recorded, in its order.
    func take(_ event: TraceEvent) {
        lock.lock()
        defer { lock.unlock() }
        waiting.append(event)
        if waiting.count == Self.waitingLimit {
            catchUp()
            didCatchUp.store(true, ordering: .relaxed)
        }
    }

    /// Whether a batch was taken since somebody last asked this.
    func tookBatch() -> Bool {
        didCatchUp.load(ordering: .relaxed) && didCatchUp.exchange(false, ordering: .relaxed)
    }

    /// Beneath the lock.
    private func catchUp() {
        for event in waiting { followed.add(event) }
        waiting.removeAll(keepingCapacity: true)
    }

    /// By the profile of the mount.
    func pending() -> PendingSet {
        lock.withLock {
            catchUp()
            return followed
        }
    }

    /// By any profile. One that is not the mount's is worked out from the whole trace, which nothing is added to meanwhile.
    func pending(_ profile: Profile, unitBytes: UInt64? = nil) throws -> PendingSet {
        let followed = pending()
        if profile == followed.profile, unitBytes == nil || unitBytes == followed.unitBytes { return followed }
        var pending = PendingSet(profile: profile, base: base, unitBytes: unitBytes)
        try trace.forEachEvent { pending.add($0) }
        return pending
    }

    /// What an inode holds, and what of it was synced. Nil when a crash could not bring it back at all.
    func contents(of inode: InodeID) -> (now: Model.Node, synced: Model.Node)? {
        let set = pending()
        guard let now = set.tree(set.survivors(.everything)).nodes[inode],
            let synced = set.durable.nodes[inode]
        else { return nil }
        return (now, synced)
    }

    /// Whether a crash could leave the inode with a name.
    func canReach(_ inode: InodeID) -> Bool {
        lock.withLock {
            catchUp()
            return followed.canReach(inode)
        }
    }
}
