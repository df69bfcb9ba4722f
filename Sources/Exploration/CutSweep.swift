import Model

/// Power cuts over one recording: after every oracle line with nothing optional kept, and at seeded points with seeded
/// survivors.
///
/// The first kind is what makes a finding certain: a store that acknowledges too early has, right after that
/// acknowledgement, a crash that loses it, and no luck is needed to be there. The second kind looks for what tears and
/// reorderings do.
package struct CutSweep: Sendable {
    package var profile: Profile
    package var seed: UInt64
    /// How many events to cut at, beside the oracle lines.
    package var seededPointCount = 64
    /// How many choices of survivors to draw at each.
    package var choicesPerPoint = 4

    package init(profile: Profile, seed: UInt64) {
        self.profile = profile
        self.seed = seed
    }

    /// Calls `body` with each state in trace order until it answers false.
    package func forEachState(of recording: Recording, _ body: (CrashState) throws -> Bool) throws {
        let points = seededPoints(eventCount: recording.events.count)
        let stream = RandomStream(seed: seed).stream("survivors")
        var set = PendingSet(profile: profile, base: recording.base)
        var lines = 0
        for event in recording.events {
            set.add(event)
            if case .oracle = event {
                lines += 1
                guard try body(set.state(.nothing, oracleLineCount: lines)) else { return }
            }
            guard points.contains(set.eventCount), set.pendingPartCount > 0 else { continue }
            var draw = stream.stream(UInt64(set.eventCount))
            for _ in 0..<choicesPerPoint {
                guard try body(set.state(.seeded(draw.next()), oracleLineCount: lines)) else { return }
            }
        }
    }

    private func seededPoints(eventCount: Int) -> Set<Int> {
        guard eventCount > seededPointCount else { return Set(1...max(1, eventCount)) }
        var stream = RandomStream(seed: seed).stream("crash points")
        var points: Set<Int> = []
        while points.count < seededPointCount { points.insert(Int(stream.next(upperBound: UInt64(eventCount))) + 1) }
        return points
    }
}
