import Model

/// A stretch of the trace in which what a crash may leave only grows, as it is at its last crash point. Immutable.
final class Epoch: Sendable {
    let set: PendingSet
    /// How many oracle lines had been written.
    let lines: Int

    init(_ set: PendingSet, lines: Int) {
        self.set = set
        self.lines = lines
    }

    func state(_ survivors: Survivors) -> CrashState { set.state(survivors, oracleLineCount: lines) }
}

extension Recording {
    /// Calls `body` with each epoch in its order until it answers true. Under `kill` every event ends one.
    func forEachEpoch(_ profile: Profile, _ body: (Epoch) throws -> Bool) throws {
        try require(profile)
        var set = emptyPendingSet(profile)
        var lines = 0
        for (index, event) in events.enumerated() {
            set.add(event)
            if case .oracle = event { lines += 1 }
            let next = index + 1 < events.count ? events[index + 1] : nil
            guard profile == .kill || next.endsEpoch else { continue }
            if try body(Epoch(set, lines: lines)) { return }
        }
    }
}

extension TraceEvent? {
    /// Whether the crash point before this event (nil: the end of the trace) is the last of its epoch.
    fileprivate var endsEpoch: Bool {
        switch self {
        case nil, .oracle, .barrierEnded: true
        default: false
        }
    }
}
