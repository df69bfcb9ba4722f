import Model
import Storage

/// Power cuts over a recording, of three kinds.
///
/// - After every oracle line, with all unsynced changes lost. A store that acknowledges too early is always found: the
///   crash right after the acknowledgement loses it.
/// - At seeded points, with seeded survivors. This finds failures caused by torn and reordered writes.
/// - After changes of names, with seeded survivors. This finds a rotation, checkpoint or compaction that is half done.
package struct CutSweep: Sendable {
    package var profile: Profile
    package var seed: UInt64
    /// The number of seeded points.
    package var seededPointCount = 64
    /// The number of seeded choices of survivors at each point.
    package var choicesPerPoint = 4
    /// The number of changes of names to cut after. Each is also cut after the barrier that follows it.
    package var namePointCount = 32
    /// Crash points before this one are left out.
    package var firstPoint = 0
    /// Whether seeded points are also cut with all unsynced changes lost. For recordings without oracle lines.
    package var dropsAtSeededPoints = false

    package init(profile: Profile, seed: UInt64) {
        self.profile = profile
        self.seed = seed
    }

    /// The upper bound of the number of states.
    package func stateLimit(of recording: Recording) -> Int {
        let seeded = seededPoints(eventCount: recording.events.count)
        let named = namePoints(recording.events)
        let lines = recording.oracleLines.count { $0.crashPoint >= firstPoint }
        let drops = lines + named.count + (dropsAtSeededPoints ? seeded.count : 0)
        return drops + seeded.union(named).count * choicesPerPoint
    }

    /// Calls `body` with each state in trace order until it returns false.
    package func forEachState(of recording: Recording, _ body: (CrashState) throws -> Bool) throws {
        try recording.require(profile)
        let seeded = seededPoints(eventCount: recording.events.count)
        let named = namePoints(recording.events)
        let stream = RandomStream(seed: seed).stream("survivors")
        var set = recording.emptyPendingSet(profile)
        var lines = 0
        for event in recording.events {
            set.add(event)
            let point = set.eventCount
            var isLine = false
            if case .oracle = event { (isLine, lines) = (true, lines + 1) }
            guard point >= firstPoint else { continue }
            let isSeeded = seeded.contains(point)
            if isLine || named.contains(point) || isSeeded && dropsAtSeededPoints {
                guard try body(set.state(.nothing, oracleLineCount: lines)) else { return }
            }
            guard isSeeded || named.contains(point), set.pendingEffectCount > 0 else { continue }
            var draw = stream.stream(UInt64(point))
            for _ in 0..<choicesPerPoint {
                guard try body(set.state(.seeded(draw.next()), oracleLineCount: lines)) else { return }
            }
        }
    }

    private func seededPoints(eventCount: Int) -> Set<Int> {
        let first = max(1, firstPoint)
        let count = eventCount - first + 1
        guard count > seededPointCount else { return Set(first...max(first, eventCount)) }
        var stream = RandomStream(seed: seed).stream("crash points")
        var points: Set<Int> = []
        while points.count < seededPointCount { points.insert(Int(stream.next(upperBound: UInt64(count))) + first) }
        return points
    }

    /// The points after changes of names and after the barriers that follow them.
    private func namePoints(_ events: EventList) -> Set<Int> {
        var points: [[Int]] = []
        var isOpen = false
        for (index, event) in events.enumerated() where index + 1 >= firstPoint {
            if event.changesNames {
                points.append([index + 1])
                isOpen = true
            } else if case .barrierEnded = event, isOpen {
                points[points.count - 1].append(index + 1)
                isOpen = false
            }
        }
        var stream = RandomStream(seed: seed).stream("changes of names")
        points.shuffle(using: &stream)
        return Set(points.prefix(namePointCount).flatMap(\.self))
    }
}

extension TraceEvent {
    fileprivate var changesNames: Bool {
        guard case .operation(let operation) = self else { return false }
        switch operation.change {
        case .create, .link, .unlink, .rename: return true
        default: return false
        }
    }
}
