import Bytes
import Model

/// Carries out the one power cut of a mount: turns the backing directory into the crash state that was asked for, while
/// the mount is frozen or after it is gone.
///
/// Threading: one lock, which is never held while something waits for the mount's threads: a control file may ask for
/// the cut on one of them.
final class PowerCutter: @unchecked Sendable {
    private enum State {
        case open
        case done(PowerCut)
        /// What was kept to undo changes is gone.
        case closed
    }

    private let lock = Lock()
    private var state = State.open
    private let backing: ByteString
    private let directory: StateDirectory
    private let tracker: UnsyncedTracker

    init(backing: ByteString, directory: StateDirectory, tracker: UnsyncedTracker) {
        self.backing = backing
        self.directory = directory
        self.tracker = tracker
    }

    /// The cut that was made; nil as long as there was none.
    var cut: PowerCut? { lock.withLock { if case .done(let cut) = state { cut } else { nil } } }

    /// Leaves the state that `choose` picks. Once there was a cut, answers that one: power goes only once. The recorder
    /// is frozen.
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
            from: pending.tree(pending.survivors(.everything)), to: wanted, backing: backing, limbo: directory.limbo,
            payloads: tracker.payloads)
        try patch.apply()
        let cut = PowerCut(
            eventCount: pending.eventCount, lost: pending.lost(survivors), story: pending.story(survivors),
            unsynced: pending.unsynced(), tree: wanted)
        state = .done(cut)
        return cut
    }

    /// From here on there can be no cut.
    func close() {
        lock.withLock { if case .open = state { state = .closed } }
    }
}
