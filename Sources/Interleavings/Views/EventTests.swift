import Bytes
import Engine
import Events
import Schedules
import Storage

/// The scenarios of the event view.
enum EventTests {
    static let all = [batchBySize, batchByTime, duplicate, failingDuplicate]

    private static func options(batchCount: Int, delayMilliseconds: Int) -> EventOptions {
        EventOptions(
            log: LogWorld.options, batchCount: batchCount, batchSizeBytes: 1 << 20,
            batchDelayMilliseconds: delayMilliseconds, duplicateWindowSeconds: 100)
    }

    /// The time of arrival, which must be the same in each execution.
    private struct FixedClock: EventClock {
        var now: UInt64 { 1_700_000_000_000_000_000 }
    }

    private static func event(_ entity: String) -> Event {
        Event(entity: ByteString(entity), type: "t", weight: 1, timestamp: 1)
    }

    private static func appends(_ entity: String) -> StoreScenario<EventStore>.Body {
        { thread, world in
            let sequence = try world.store.append(event(entity))
            // A duplicate is acknowledged like its original.
            let entry = Entry(number: 0, content: entity)
            world.results[thread].append(Entry(number: sequence, content: entity))
            world.note(.durable(entry))
        }
    }

    private static func scenario(
        _ name: String, _ summary: String, _ depth: ScheduleDepth, _ entities: [String], _ options: EventOptions,
        rule: String? = nil, bodies: [StoreScenario<EventStore>.Body]? = nil,
        expect: @escaping @Sendable (StoreWorld<EventStore>) throws -> Void
    ) -> ScheduleTest {
        let bodies = bodies ?? entities.map(appends)
        return ScheduleTest(name, summary, depth) { bug, checksCrashes in
            StoreScenario<EventStore>(
                threads: entities.enumerated().map { "append \($1) (\(Character(UnicodeScalar(UInt8(97 + $0)))))" },
                bodies: bodies, rule: rule,
                open: { storage in
                    try EventStore.open(
                        storage: storage, options: options, clock: FixedClock(), planting: bug,
                        coordination: ScheduledCoordination.self)
                },
                expect: expect,
                crashes: checksCrashes
                    ? CrashChecker.ofAcknowledged { try content(of: $0, options) } : nil)
        }
    }

    static let batchBySize = scenario(
        "event-batch", "two threads append events: full batches, distinct sequence numbers",
        .within(2), ["x", "y"], options(batchCount: 1, delayMilliseconds: 0)
    ) { world in try expect(world, ["x", "y"]) }

    static let batchByTime = scenario(
        "event-delay", "two threads append events, whose batch is written when the time is over",
        .within(2), ["x", "y"], options(batchCount: 10, delayMilliseconds: 5)
    ) { world in try expect(world, ["x", "y"]) }

    static let duplicate = scenario(
        "event-duplicate", "two threads append the same event: one is taken, the other waits until it is durable",
        .allWithout(surprisesWithin: 2), ["x", "x"], options(batchCount: 1, delayMilliseconds: 0)
    ) { world in
        let numbers = world.results.flatMap { $0 }.map(\.number).sorted()
        guard numbers == [0, 1] else { throw ScheduleCheckError("the sequence numbers are \(numbers)") }
        try world.store.close()
    }

    static let failingDuplicate = scenario(
        "event-failing", "the same, and the sync fails: neither is acknowledged",
        .allWithout(surprisesWithin: 2), ["x", "x"], options(batchCount: 1, delayMilliseconds: 0),
        rule: "fdatasync path=*.log nth=2 -> EIO lose",
        bodies: Array(
            repeating: { thread, world in
                do throws(EngineError) { _ = try world.store.append(event("x")) } catch {
                    if error.isEnding { return }
                    throw error
                }
                world.note(.durable(Entry(number: 0, content: "x")))
            }, count: 2)
    ) { world in
        if !world.notes.isEmpty { throw ScheduleCheckError("an event is acknowledged, though the only sync failed") }
    }

    /// Distinct sequence numbers from 1, and all events after closing.
    private static func expect(_ world: StoreWorld<EventStore>, _ entities: Set<String>) throws {
        let entries = world.results.flatMap { $0 }
        guard Set(entries.map(\.number)) == Set(1...UInt64(entities.count)) else {
            throw ScheduleCheckError("the sequence numbers are \(entries.map(\.number))")
        }
        var found: Set<Entry> = []
        try world.store.replay { found.insert(Entry(number: $0.sequence, content: "\($0.event.entity)")) }
        guard found == Set(entries) else { throw ScheduleCheckError("the store has \(found), and not \(entries)") }
        try world.store.close()
    }

    private static func content(of storage: MemoryStorage, _ options: EventOptions) throws -> [Entry] {
        let store = try EventStore.open(storage: storage, options: options, clock: FixedClock())
        var entries: [Entry] = []
        try store.replay { entries.append(Entry(number: 0, content: "\($0.event.entity)")) }
        return entries
    }
}
