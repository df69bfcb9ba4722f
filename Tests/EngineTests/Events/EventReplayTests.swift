import Bytes
import Model
import Storage
import Testing

@testable import Engine
@testable import Events

/// Checkpoints, truncation, replay, and crashes between them.
@Suite struct EventReplayTests {
    /// Whoever applies events: a count for each, kept with the checkpoint that covers it.
    private struct Applier {
        var counts: [Event: Int] = [:]
        mutating func apply(_ event: SequencedEvent) { counts[event.event, default: 0] += 1 }
    }

    /// Random appends, checkpoints anywhere, truncations and reopens: nothing is applied twice, nothing left out.
    @Test(arguments: 0..<25 as Range<UInt64>) func `a replay applies each event exactly once`(_ seed: UInt64) throws {
        var random = RandomStream(seed: seed)
        let storage = MemoryStorage()
        let clock = TestClock()
        var store = try EventStore.open(storage: storage, options: eager, clock: clock)
        var applied = Applier()
        var appended: [Event] = []
        for step in 0..<300 {
            switch UInt64.random(in: 0..<10, using: &random) {
            case 0:
                // Applies a part of what is new, and notes how far it got.
                let new = try store.list()
                let part = new.prefix(Int.random(in: 0...new.count, using: &random))
                for event in part { applied.apply(event) }
                if let last = part.last { try store.takeCheckpoint(at: last.sequence) }
            case 1: try store.truncateBeforeCheckpoint()
            case 2:
                try store.close()
                store = try EventStore.open(storage: storage, options: eager, clock: clock)
            case 3: clock.advance(seconds: Int64.random(in: 0...80, using: &random))
            default:
                let count = Int.random(in: 1...12, using: &random)
                let events = (0..<count).map { event(step * 100 + $0) }
                #expect(try !store.append(contentsOf: events).contains(0), "seed \(seed)")
                appended += events
            }
        }
        try store.replay { applied.apply($0) }
        #expect(applied.counts.count == appended.count && applied.counts.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(store.lastSequence == UInt64(appended.count), "seed \(seed)")
    }

    @Test func `a checkpoint covers only durable events and does not go back`() throws {
        let clock = TestClock()
        let store = try EventStore.open(storage: MemoryStorage(), options: eager, clock: clock)
        #expect(store.checkpoint == .none)
        try store.append(contentsOf: (1...10).map { event($0) })
        #expect(throws: EngineError.noSuchEvent(sequence: 11)) { try store.takeCheckpoint(at: 11) }
        let taken = try store.takeCheckpoint(at: 4)
        #expect(taken == Checkpoint(sequence: 4, timeNanoseconds: clock.now) && store.checkpoint == taken)
        #expect(throws: EngineError.noSuchEvent(sequence: 3)) { try store.takeCheckpoint(at: 3) }
        #expect(try store.list().map(\.sequence) == Array(5...10))
    }

    @Test func `events that the duplicate window needs are not truncated`() throws {
        let storage = MemoryStorage()
        let clock = TestClock()
        let store = try EventStore.open(storage: storage, options: eager, clock: clock)
        try store.append(contentsOf: (1...100).map { event($0) })
        clock.advance(seconds: 60)
        try store.append(contentsOf: (101...200).map { event($0) })
        try store.takeCheckpoint()
        #expect(try store.truncateBeforeCheckpoint() == 0, "all are within the window")
        clock.advance(seconds: 60)
        #expect(try store.truncateBeforeCheckpoint() > 0)
        #expect((2...101).contains(store.firstSequence))
        let again = try reopenEvents(storage, clock)
        for number in 101...200 { #expect(try again.append(event(number)) == 0) }
        #expect(again.firstSequence == store.firstSequence)
        clock.advance(seconds: 101)
        try store.truncateBeforeCheckpoint()
        #expect(storage.list().count == 1)
        #expect(try reopenEvents(storage, clock).append(event(1)) == 201)
    }

    /// After any crash: the checkpoint is one that was asked for, what it does not cover is all there, and a duplicate
    /// of what is there is known.
    @Test(arguments: Profile.allCases) func `a crash at any point loses no acknowledged event`(_ profile: Profile)
        throws
    {
        let run = try EventRun.mixed()
        var recovered = 0
        let findings = try run.explore(profile, seeds: 0..<4, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
        #expect(recovered > 50)
    }
}
