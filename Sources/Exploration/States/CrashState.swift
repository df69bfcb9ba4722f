import Model
import Oracle

/// A legal crash state and its origin.
package struct CrashState: Sendable {
    package var profile: Profile
    /// The number of events before the crash.
    package var crashPoint: Int
    /// The number of oracle lines among these events.
    package var oracleLineCount: Int
    package var tree: Tree
    package var lost: LostAtoms
}

/// The losses of a crash state.
package struct CrashLosses: Sendable {
    /// A description of each lost effect.
    package var descriptions: [String]
    /// The loss patterns, sorted.
    package var patterns: [LossPattern]
}

extension Recording {
    /// The state of a crash after `crashPoint` events in which `choice` survives.
    package func state(_ profile: Profile, at crashPoint: Int, _ choice: Choice) throws(RecordingError) -> CrashState {
        let (set, lines) = try pendingSet(profile, at: crashPoint)
        return set.state(choice, oracleLineCount: lines)
    }

    /// The state with all of the first `crashPoint` events, nothing lost.
    package func wholeState(at crashPoint: Int) throws(RecordingError) -> CrashState {
        try state(profiles[0], at: crashPoint, .everything)
    }

    /// The losses of `state`, which must be a state of this recording.
    package func losses(of state: CrashState) throws(RecordingError) -> CrashLosses {
        try pendingSet(state.profile, at: state.crashPoint).0.losses(of: state)
    }

    /// The pending set after `crashPoint` events, and the number of oracle lines among them.
    package func pendingSet(_ profile: Profile, at crashPoint: Int) throws(RecordingError) -> (PendingSet, lines: Int) {
        guard crashPoint >= 0, crashPoint <= events.count else {
            throw .crashPointBeyondTrace(crashPoint, eventCount: events.count)
        }
        try require(profile)
        var set = emptyPendingSet(profile)
        var lines = 0
        for event in events[..<crashPoint] {
            set.add(event)
            if case .oracle = event { lines += 1 }
        }
        return (set, lines)
    }
}

extension PendingSet {
    /// The losses of a state of this set.
    func losses(of state: CrashState) -> CrashLosses {
        let survivors = survivors(.losing(state.lost))
        return CrashLosses(
            descriptions: lossDescriptions(survivors), patterns: lossTable().patterns(lostBy: survivors))
    }

    func state(_ choice: Choice, oracleLineCount: Int) -> CrashState {
        state(survivors(choice), oracleLineCount: oracleLineCount)
    }

    func state(_ survivors: Survivors, oracleLineCount: Int) -> CrashState {
        CrashState(
            profile: profile, crashPoint: eventCount, oracleLineCount: oracleLineCount, tree: tree(survivors),
            lost: lost(survivors))
    }
}
