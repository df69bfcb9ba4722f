import Bytes
import Model
import Platform

/// Performs the one power cut of a mount: turns the backing directory into the requested crash state, while the mount
/// is frozen or after it has ended.
///
/// Threading: one lock. A holder never waits for the mount's worker threads, since a control file may request the cut
/// on one of them.
final class PowerCutter: @unchecked Sendable {
    private enum CutState {
        case open
        case done(PowerCut)
        /// The undo data was removed.
        case closed
    }

    private let lock = Lock()
    private var state = CutState.open
    private let backing: ByteString
    private let directory: StateDirectory
    private let tracker: UnsyncedTracker

    init(backing: ByteString, directory: StateDirectory, tracker: UnsyncedTracker) {
        self.backing = backing
        self.directory = directory
        self.tracker = tracker
    }

    /// The power cut, once it was made.
    var cut: PowerCut? { lock.withLock { if case .done(let cut) = state { cut } else { nil } } }

    /// Makes the crash state that `choose` picks. Returns the first cut if there was one already. The recorder must be
    /// frozen.
    func cut(
        _ profile: Profile, unitBytes: UInt64? = nil, _ choose: (PendingSet) -> Survivors
    ) throws(MountError) -> PowerCut {
        lock.lock()
        defer { lock.unlock() }
        switch state {
        case .done(let cut): return cut
        case .closed: throw .notMounted(backing)
        case .open: break
        }
        let pending: PendingSet
        do { pending = try tracker.pending(profile, unitBytes: unitBytes) } catch { throw .trace("\(error)") }
        let survivors = choose(pending)
        let wanted = pending.tree(survivors)
        let patch = TreePatch(
            from: pending.tree(pending.survivors(.everything)), to: wanted, backing: backing,
            orphans: directory.orphans,
            payloads: tracker.payloads)
        try patch.apply()
        let cut = PowerCut(
            eventCount: pending.eventCount, lost: pending.lost(survivors),
            lossDescriptions: pending.lossDescriptions(survivors),
            unsynced: pending.unsynced(), tree: wanted)
        state = .done(cut)
        return cut
    }

    /// Permits no power cut any more.
    func close() {
        lock.withLock { if case .open = state { state = .closed } }
    }
}
