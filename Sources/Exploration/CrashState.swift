import Model
import Oracle

/// One legal state that a crash could have left, and how it came about.
package struct CrashState: Sendable {
    package var profile: Profile
    /// How many events of the trace had happened.
    package var crashPoint: Int
    /// How many oracle lines were among them.
    package var oracleLineCount: Int
    package var tree: Tree
    package var lost: LostAtoms
}

/// What a crash state lost, in words.
package struct LossStory: Sendable {
    /// A line an atom.
    package var lines: [String]
    /// What kinds of changes they are, of which files.
    package var patterns: [LossPattern]
}

extension Recording {
    /// The state that a crash after `crashPoint` events leaves if `choice` survives.
    package func state(_ profile: Profile, at crashPoint: Int, _ choice: Choice) throws(RecordingError) -> CrashState {
        let (set, lines) = try pendingSet(profile, at: crashPoint)
        return set.state(choice, oracleLineCount: lines)
    }

    /// Everything that was recorded in the first `crashPoint` events.
    package func wholeState(at crashPoint: Int) throws(RecordingError) -> CrashState {
        try state(profiles[0], at: crashPoint, .everything)
    }

    /// What `state`, which is one of this recording, lost.
    package func story(of state: CrashState) throws(RecordingError) -> LossStory {
        let (set, _) = try pendingSet(state.profile, at: state.crashPoint)
        let survivors = set.survivors(.losing(state.lost))
        return LossStory(lines: set.story(survivors), patterns: set.lossTable().patterns(lostBy: survivors))
    }

    /// The story of `state`, which breaks the contract as `violation` says.
    ///
    /// - Parameters:
    ///   - linesBefore: how many oracle lines stand before this recording's first one.
    ///   - faults: what was injected into the run, exactly.
    ///   - look: how the store was looked at, if no crash came; `state` is then all that was recorded by that time.
    package func story(
        of state: CrashState, _ violation: Violation, linesBefore: Int, faults: [InjectedFault] = [],
        look: CrashStory.FaultLook? = nil
    ) throws -> CrashStory {
        try Storyteller(self, state, violation, linesBefore: linesBefore, faults: faults, look: look).tell()
    }

    /// What a crash after so many events may lose, and how many oracle lines were among them.
    func pendingSet(_ profile: Profile, at crashPoint: Int) throws(RecordingError) -> (PendingSet, lines: Int) {
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
    func state(_ choice: Choice, oracleLineCount: Int) -> CrashState {
        state(survivors(choice), oracleLineCount: oracleLineCount)
    }

    func state(_ survivors: Survivors, oracleLineCount: Int) -> CrashState {
        CrashState(
            profile: profile, crashPoint: eventCount, oracleLineCount: oracleLineCount, tree: tree(survivors),
            lost: lost(survivors))
    }
}
