import Bytes
import Foundation
import Platform
import Storage
import Testing

@testable import Engine
@testable import Events

@Suite struct EventStoreTests {
    private let storage = MemoryStorage()
    private let clock = TestClock()

    private func open(_ options: EventOptions = eager) throws -> EventStore {
        try EventStore.open(storage: storage, options: options, clock: clock)
    }

    @Test func `events are read back in order with all fields`() throws {
        let store = try open()
        let odd = Event(entity: "\u{0}", type: "", weight: -0.0, timestamp: .min)
        #expect(try store.append(odd) == 1)
        clock.advance(seconds: 3)
        #expect(try store.append(contentsOf: (1...50).map { event($0) }) == Array(2...51))
        let found = try store.list()
        #expect(found.map(\.event) == [odd] + (1...50).map { event($0) })
        #expect(found.map(\.sequence) == Array(1...51))
        #expect(found[1].arrivalNanoseconds - found[0].arrivalNanoseconds == 3_000_000_000)
        #expect(store.lastSequence == 51 && store.firstSequence == 1)
        #expect(try store.list(after: 49).map(\.event) == [event(49), event(50)])
        #expect(try store.list(after: 51).isEmpty && store.list(after: .max).isEmpty)
        try store.close()
        var reader = try EventReader.open(storage: storage, after: 50)
        #expect(try reader.next()?.event == event(50))
        #expect(try reader.next() == nil)
    }

    @Test func `a duplicate gets sequence number 0 and is not written`() throws {
        let store = try open()
        #expect(try store.append(event(1)) == 1)
        #expect(try store.append(event(1)) == 0)
        #expect(try store.append(contentsOf: [event(2), event(2), event(1), event(3)]) == [2, 0, 0, 3])
        #expect(try store.list().count == 3)
        try store.close()
        let again = try open()
        #expect(try again.append(contentsOf: [event(1), event(2), event(3), event(4)]) == [0, 0, 0, 4])
    }

    /// Fields that differ in one bit, and fields whose bytes run into each other.
    @Test func `distinct events are never taken for duplicates`() throws {
        let store = try open()
        let events = [
            Event(entity: "a", type: "b", weight: 0, timestamp: 0),
            Event(entity: "ab", type: "", weight: 0, timestamp: 0),
            Event(entity: "", type: "ab", weight: 0, timestamp: 0),
            Event(entity: "a", type: "b", weight: -0.0, timestamp: 0),
            Event(entity: "a", type: "b", weight: .nan, timestamp: 0),
            Event(entity: "a", type: "b", weight: 0, timestamp: 1),
            Event(entity: "a", type: "c", weight: 0, timestamp: 0),
            Event(entity: "caf\u{E9}", type: "b", weight: 0, timestamp: 0),
            Event(entity: "cafe\u{301}", type: "b", weight: 0, timestamp: 0),
        ]
        #expect(try store.append(contentsOf: events) == Array(1...9))
        #expect(try store.append(contentsOf: events) == [UInt64](repeating: 0, count: 9))
        let many = (0..<5000).map { Event(entity: ByteString("\($0)"), type: "t", timestamp: 0) }
        #expect(try store.append(contentsOf: many) == Array(10..<5010))
    }

    /// The clock may jump either way; what counts is how far arrival and now are apart.
    @Test(arguments: [(100, true), (101, false), (-100, true), (-101, false)] as [(Int64, Bool)], [false, true])
    func `the duplicate window is as long as configured`(
        _ moved: (seconds: Int64, isDuplicate: Bool), _ isReopened: Bool
    ) throws {
        var store = try open()
        try store.append(event(1))
        clock.advance(seconds: moved.seconds)
        if isReopened {
            try store.close()
            store = try open()
        }
        #expect(try store.append(event(1)) == (moved.isDuplicate ? 0 : 2))
        #expect(try store.append(event(1)) == 0)
    }

    @Test func `a window of 0 finds no duplicates`() throws {
        var options = eager
        options.duplicateWindowSeconds = 0
        let store = try open(options)
        #expect(try store.append(contentsOf: [event(1), event(1), event(1)]) == [1, 2, 3])
    }

    @Test func `the memory of the window is freed`() throws {
        var window = DuplicateWindow(lengthSeconds: 10)
        let batch = EventBatch()
        for number in 0..<10_000 {
            let now = UInt64(number) * 1_000_000_000
            window.evict(now: now)
            let hash = ContentHash(event(number))
            window.insert(hash, arrival: now, in: batch)
            window.markDurable(hash, batch, lsn: UInt64(number + 1))
        }
        #expect(window.count == 11)
        #expect(window.firstLSN(now: 9999 * 1_000_000_000) == 9990)
    }

    @Test func `sequence numbers continue after a reopen and a truncation`() throws {
        let store = try open()
        try store.append(contentsOf: (1...200).map { event($0) })
        #expect(try store.takeCheckpoint().sequence == 200)
        clock.advance(seconds: 1000)
        #expect(try store.truncateBeforeCheckpoint() > 1)
        try store.close()
        let again = try open()
        #expect(again.lastSequence == 200 && again.checkpoint.sequence == 200)
        #expect(try again.append(event(1)) == 201)
        #expect(try again.list().map(\.sequence) == [201])
        try again.close()
    }

    @Test func `records of another view are refused`() throws {
        let store = try open()
        try store.append(event(1))
        try store.close()
        #expect(throws: EngineError.otherView(.event, LSN(1))) { try KeyValueStore.open(storage: storage) }
        let other = MemoryStorage()
        let map = try KeyValueStore.open(storage: other)
        try map.put("a", [])
        try map.close()
        #expect(throws: EngineError.otherView(.put, LSN(1))) { try EventStore.open(storage: other) }
    }

    @Test func `a malformed event record is refused`() throws {
        let log = try LogCore<SystemCoordination, NoHooks>(
            storage: storage, options: LogOptions(), recovered: RecoveredLog(shard: 0), hooks: NoHooks())
        _ = try log.append(.event, "entity", [1, 2, 3])
        try log.close()
        #expect(throws: EngineError.malformed(.event, LSN(1))) { try open() }
    }

    @Test func `too large data is refused before anything is written`() throws {
        let store = try open()
        let long = ByteString([UInt8](repeating: 1, count: LogLimits.keySizeBytes + 1))
        for bad in [Event(entity: long, type: "", timestamp: 0), Event(entity: "", type: long, timestamp: 0)] {
            #expect(throws: EngineError.keyTooLarge(sizeBytes: long.count)) {
                try store.append(contentsOf: [event(1), bad])
            }
        }
        #expect(try store.append(event(1)) == 1)
    }

    @Test func `a closed store throws closed`() throws {
        let store = try open()
        try store.close()
        #expect(throws: EngineError.closed) { try store.append(event(1)) }
        #expect(throws: EngineError.closed) { try store.flush() }
        #expect(throws: EngineError.closed) { try store.takeCheckpoint() }
        #expect(throws: EngineError.closed) { try store.truncateBeforeCheckpoint() }
        #expect(throws: EngineError.closed) { _ = try store.events() }
        #expect(throws: EngineError.closed) { try store.close() }
    }

    @Test func `invalid options are refused`() {
        for options in [
            EventOptions(batchCount: 0), EventOptions(batchSizeBytes: 0), EventOptions(batchDelayMilliseconds: -1),
            EventOptions(duplicateWindowSeconds: -1), EventOptions(log: LogOptions(segmentSizeBytes: 1)),
        ] {
            #expect(throws: EngineError.self) { try EventStore.open(storage: MemoryStorage(), options: options) }
        }
    }

    /// 500 events, a reopen, duplicates, a checkpoint, 50 more, a reopen, a crash that tears the tail, and on.
    @Test func `the whole life of a store`() throws {
        let directory = try TemporaryDirectory()
        func open() throws -> EventStore {
            try EventStore.open(storage: PosixStorage(directory: directory.path), options: eager, clock: clock)
        }
        var store = try open()
        #expect(try store.append(contentsOf: (1...500).map { event($0) }) == Array(1...500))
        try store.close()
        store = try open()
        #expect(store.lastSequence == 500)
        for number in stride(from: 1, through: 500, by: 7) { #expect(try store.append(event(number)) == 0) }
        var applied: [Int64] = []
        #expect(try store.replay { applied.append($0.event.timestamp) } == 500)
        #expect(applied == Array(1...500))
        #expect(try store.takeCheckpoint().sequence == 500)
        #expect(try store.append(contentsOf: (501...550).map { event($0) }) == Array(501...550))
        try store.close()
        store = try open()
        clock.advance(seconds: 90)
        #expect(try store.append(event(550)) == 0)
        try store.replay { applied.append($0.event.timestamp) }
        #expect(applied == Array(1...550), "nothing twice, nothing left out")
        #expect(try store.append(event(551)) == 551)
        try store.close()
        // The last record loses its end, and the mark of the close that stood behind it.
        let storage = try PosixStorage(directory: directory.path)
        let last = try #require(try storage.list().max())
        let file = try storage.open(last)
        try file.truncate(to: file.length() - 33)
        store = try open()
        #expect(store.recoveryReport.segmentsWithTruncatedTail == 1)
        #expect(store.lastSequence == 550)
        #expect(try store.append(event(551)) == 551, "its number is free again")
        #expect(try store.append(event(551)) == 0)
        #expect(try store.list().map(\.sequence) == Array(501...551))
        try store.close()
    }
}
