import Model

/// The pending set of a recording at the last crash point that was asked for. Minimising derives hundreds of states of one
/// point, and reading the trace up to it takes longer than each of them.
///
/// Not thread safe.
final class RecentPendingSet {
    private let recording: Recording
    private var last: (profile: Profile, crashPoint: Int, set: PendingSet, lines: Int)?

    init(_ recording: Recording) { self.recording = recording }

    /// The same as `Recording.state`.
    func state(_ profile: Profile, at crashPoint: Int, _ choice: Choice) throws(RecordingError) -> CrashState {
        let (set, lines) = try pendingSet(profile, at: crashPoint)
        return set.state(choice, oracleLineCount: lines)
    }

    /// The same as `Recording.losses`.
    func losses(of state: CrashState) throws(RecordingError) -> CrashLosses {
        try pendingSet(state.profile, at: state.crashPoint).set.losses(of: state)
    }

    private func pendingSet(
        _ profile: Profile, at crashPoint: Int
    ) throws(RecordingError) -> (set: PendingSet, lines: Int) {
        if let last, last.profile == profile, last.crashPoint == crashPoint { return (last.set, last.lines) }
        let (set, lines) = try recording.pendingSet(profile, at: crashPoint)
        last = (profile, crashPoint, set, lines)
        return (set, lines)
    }
}
