import Model

/// A stretch of the trace without a barrier's return or oracle line, at its last crash point. Within an epoch the set of
/// crash states only grows, so that the last crash point has all of them. Immutable.
final class Epoch: Sendable {
    let set: PendingSet
    /// The number of oracle lines before the end of the epoch.
    let lines: Int

    init(_ set: PendingSet, lines: Int) {
        self.set = set
        self.lines = lines
    }

    func state(_ survivors: Survivors) -> CrashState { set.state(survivors, oracleLineCount: lines) }
}

extension Recording {
    /// Calls `body` with each epoch in order until it returns true. Under `kill` every event ends an epoch.
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
    /// Whether the crash point before this event is the last of its epoch. nil is the end of the trace.
    fileprivate var endsEpoch: Bool {
        switch self {
        case nil, .oracle, .barrierEnded: true
        default: false
        }
    }
}

extension PendingSet {
    /// Whether the set has at most so many states.
    func hasAtMost(_ count: Int) -> Bool {
        FamilySearch(self, .units).stateCount().map { $0.clamped <= count } ?? false
    }
}
