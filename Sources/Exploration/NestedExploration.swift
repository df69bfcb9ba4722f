import Model
import Oracle

/// Crashes during the recovery of a crash state: the recovery's own operations are a trace that begins with that state.
///
/// Each epoch of it is walked from its state with nothing kept on, up to so many states; distinct ones are recovered
/// once. Thread safe.
struct NestedExploration: Sendable {
    var profile: Profile
    var statesPerEpoch: Int
    /// It is time to end: what is left of a recovery is not looked at.
    var isOver: @Sendable () -> Bool = { false }

    struct Outcome {
        /// Distinct states that were recovered.
        var states = 0
        /// Not every state was looked at.
        var isBounded = false
        /// One of the states hung in its recovery; no other was begun.
        var hung = false
        /// It was time to end before all was looked at.
        var isCutShort = false
        /// What they show, each once, in the order in which it was met.
        var shown: [Evidence] = []
    }

    func explore(recoveryOf tree: Tree, _ recovery: any StateRecoverer) throws -> Outcome {
        var outcome = Outcome()
        guard let recording = try recovery.recording(ofRecovering: tree) else { return outcome }
        var known: Set<StateHash> = []
        outcome.isBounded = try forEachState(of: recording) { state, _ in
            outcome.states += 1
            let recovered = try Self.recover(state.tree, of: recording, recovery)
            let digest = ShownState(evidence: recovered.evidence).digest
            if known.insert(digest).inserted { outcome.shown.append(recovered.evidence) }
            outcome.hung = recovered.hung
            outcome.isCutShort = isOver()
            return !recovered.hung && !outcome.isCutShort
        }
        return outcome
    }

    /// Calls `body` with each distinct state of a crash of the recorded recovery until it answers false. True when there
    /// were more than are looked at.
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
        try recovery.reading(recording.payloads).recover(tree, isAlone: false)
    }
}
