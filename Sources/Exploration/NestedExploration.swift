import Model
import Oracle

/// Explores crashes during the recovery of a crash state. The operations of the recovery are a trace whose base is that
/// state.
///
/// The states of each of its epochs are walked up to a limit, beginning with the one that keeps nothing. Distinct states
/// are recovered once. Thread safe.
struct NestedExploration: Sendable {
    var profile: Profile
    var statesPerEpoch: Int
    /// Whether to stop: the remaining states of a recovery are then skipped.
    var isOver: @Sendable () -> Bool = { false }

    struct Outcome {
        /// The number of recovered distinct states.
        var states = 0
        /// Whether the limit left states out.
        var isBounded = false
        /// Whether the recovery of a state hung. No further state was recovered.
        var hung = false
        /// Whether the exploration was stopped early.
        var isCutShort = false
        /// The distinct evidence, in the order of the walk.
        var shown: [Evidence] = []
    }

    func explore(recoveryOf tree: Tree, _ recovery: any StateRecoverer) throws -> Outcome {
        var outcome = Outcome()
        guard let recording = try recovery.recording(ofRecovering: tree) else { return outcome }
        var known: Set<StateHash> = []
        outcome.isBounded = try forEachState(of: recording) { state, _ in
            outcome.states += 1
            let recovered = try Self.recover(state.tree, of: recording, recovery)
            let digest = StateEvidence(evidence: recovered.evidence).digest
            if known.insert(digest).inserted { outcome.shown.append(recovered.evidence) }
            outcome.hung = recovered.hung
            outcome.isCutShort = isOver()
            return !recovered.hung && !outcome.isCutShort
        }
        return outcome
    }

    /// Calls `body` with each distinct state of a crash during the recorded recovery until it returns false. Returns whether
    /// the limit left states out.
    @discardableResult
    func forEachState(of recording: Recording, _ body: (CrashState, StateHash) throws -> Bool) throws -> Bool {
        var seen: Set<StateHash> = []
        var isBounded = false
        try recording.forEachEpoch(profile) { epoch in
            var walker = try StateWalker(epoch.set, payloads: recording.payloads)
            var count = 0
            repeat {
                guard count < statesPerEpoch else {
                    isBounded = true
                    return false
                }
                count += 1
                guard seen.insert(walker.hash).inserted else { continue }
                if try !body(epoch.state(walker.survivors()), walker.hash) { return true }
            } while try walker.next()
            return false
        }
        return isBounded
    }

    static func recover(_ tree: Tree, of recording: Recording, _ recovery: any StateRecoverer) throws -> RecoveredState
    {
        try recovery.reading(recording.payloads).recover(tree, inFreshProcess: false)
    }
}
