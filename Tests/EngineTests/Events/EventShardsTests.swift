import Bytes
import Storage
import Testing

@testable import Engine
@testable import Events

@Suite struct EventShardsTests {
    private let storage = MemoryStorage()
    private let clock = TestClock()

    private func open(_ count: Int) throws -> EventShards {
        try EventShards.open(storage: storage, count: count, options: eager, clock: clock)
    }

    private func event(_ number: Int) -> Event {
        Event(entity: ByteString("entity \(number % 23)"), type: "t", timestamp: Int64(number))
    }

    @Test func `all events of an entity go to one shard and stay in order`() throws {
        let shards = try open(4)
        var places: [ByteString: Set<Int>] = [:]
        for number in 1...200 {
            let (shard, sequence) = try shards.append(event(number))
            #expect(sequence > 0)
            places[event(number).entity, default: []].insert(shard)
        }
        #expect(places.count == 23 && places.values.allSatisfy { $0.count == 1 })
        #expect(shards.shards.allSatisfy { $0.lastSequence > 0 }, "each shard has some")
        #expect(shards.shards.map(\.lastSequence).reduce(0, +) == 200)
        try shards.close()
        let again = try open(4)
        for number in 1...200 { #expect(try again.append(event(number)).sequence == 0) }
        for (index, shard) in again.shards.enumerated() {
            let found = try shard.list().map(\.event.timestamp)
            #expect(found == found.sorted())
            #expect(found == (1...200).filter { again.shard(of: event($0)) == index }.map { Int64($0) })
        }
        try again.takeCheckpoints()
        for shard in again.shards { #expect(try shard.list().isEmpty) }
    }

    @Test func `another number of shards is refused`() throws {
        try open(3).close()
        #expect(throws: EngineError.wrongShardCount(found: 3, asked: 2)) { try open(2) }
        #expect(throws: EngineError.wrongShardCount(found: 3, asked: 4)) { try open(4) }
        #expect(throws: EngineError.wrongShardCount(found: 3, asked: 1)) {
            try EventStore.open(storage: storage, options: eager)
        }
        try open(3).close()
    }

    /// The first opening ended anywhere.
    @Test func `partly created shards are created again`() throws {
        try open(3).close()
        let whole = try storage.contents()
        for missing in 1...3 {
            let kept = whole.filter { SegmentName($0.key)!.shard >= missing }
            let storage = try MemoryStorage(contents: kept)
            let shards = try EventShards.open(storage: storage, count: 3, options: eager, clock: clock)
            #expect(try shards.append(event(1)).sequence == 1)
        }
    }

    @Test func `the directory has one owner`() throws {
        let shards = try open(2)
        #expect(throws: EngineError.storage(.directoryLocked("memory"))) { try open(2) }
        try shards.close()
        try open(2).close()
    }

    @Test func `a custom router decides`() throws {
        struct ByNumber: EventRouter {
            func shard(of event: Event, shardCount: Int) -> Int { Int(event.timestamp) }
        }
        let shards = try EventShards.open(storage: storage, count: 3, router: ByNumber(), options: eager, clock: clock)
        for (number, shard) in [(0, 0), (1, 1), (5, 2), (-1, 2)] {
            #expect(try shards.append(Event(entity: "e", type: "t", timestamp: Int64(number))).shard == shard)
        }
    }
}
