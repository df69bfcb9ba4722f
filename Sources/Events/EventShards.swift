import Bytes
import Engine
import Platform
import Storage

/// Chooses the shard of an event. Equal events must go to the same shard, because each shard detects only its own duplicates.
public protocol EventRouter: Sendable {
    /// From 0 to `shardCount` - 1; anything else is taken modulo `shardCount`.
    func shard(of event: Event, shardCount: Int) -> Int
}

/// Routes all events of an entity to one shard, so that they stay in order: the CRC32C of the entity modulo the count.
public struct EntityRouter: EventRouter {
    public init() {}

    public func shard(of event: Event, shardCount: Int) -> Int {
        Int(CRC32C.checksum(event.entity.bytes)) % shardCount
    }
}

/// Several event stores in one directory, with a router. Each shard has its own sequence numbers, batches and checkpoints. The
/// guarantees of a store hold for each shard; there are none across shards.
///
/// The number of shards is fixed when the directory is first opened, because the router depends on it.
///
/// Thread safe.
public final class EventShards: Sendable {
    /// The shards, for operations on single shards: replay, checkpoints, truncation.
    public let shards: [EventStore]
    private let router: any EventRouter
    private let lock: any DirectoryLock

    /// Opens the shards in this directory, or creates them. Throws `wrongShardCount` if it has another number of shards.
    public static func open(
        storage: some Storage, count: Int, router: some EventRouter = EntityRouter(),
        options: EventOptions = EventOptions(), clock: some EventClock = WallClock()
    ) throws(EngineError) -> EventShards {
        try EventShards(storage, count, router, options, clock)
    }

    private init(
        _ storage: any Storage, _ count: Int, _ router: any EventRouter, _ options: EventOptions,
        _ clock: any EventClock
    ) throws(EngineError) {
        let options = try options.validated()
        guard (1...Int(SegmentName.largestShard) + 1).contains(count) else {
            throw .invalidOptions("the shard count is \(count), not within 1 and \(SegmentName.largestShard + 1)")
        }
        self.router = router
        lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        try Self.checkCount(count, in: storage)
        var shards: [EventStore] = []
        // From the last one to the first, so that the first exists only if all of them do, also after a crash.
        for shard in (0..<count).reversed() {
            shards.append(
                EventStore(
                    try EventCore<SystemCoordination, _>(
                        storage: storage, shard: UInt16(shard), options: options, clock: clock, lock: nil,
                        planting: nil, hooks: NoHooks())))
        }
        self.shards = shards.reversed()
    }

    /// Throws if the directory has another number of shards.
    static func checkCount(_ count: Int, in storage: any Storage) throws(EngineError) {
        let names = try throughStorage { () throws(StorageError) in try storage.list() }.compactMap(SegmentName.init)
        guard let last = names.map(\.shard).max() else { return }
        let found = Int(last) + 1
        let isWhole = names.contains { $0.shard == 0 }
        if found > count || isWhole && found < count { throw .wrongShardCount(found: found, asked: count) }
    }

    /// Appends an event to its shard and returns when it is durable: the shard, and its sequence number there, or 0 for a
    /// duplicate.
    @discardableResult
    public func append(_ event: Event) throws(EngineError) -> (shard: Int, sequence: UInt64) {
        let shard = shard(of: event)
        return (shard, try shards[shard].append(event))
    }

    /// The shard to which the router sends an event.
    public func shard(of event: Event) -> Int {
        let shard = router.shard(of: event, shardCount: shards.count) % shards.count
        return shard < 0 ? shard + shards.count : shard
    }

    /// Takes a checkpoint of each shard at its last durable event.
    public func takeCheckpoints() throws(EngineError) {
        for shard in shards { try shard.takeCheckpoint() }
    }

    /// Closes every shard, even if one of them fails, and unlocks the directory. Throws the first error.
    public func close() throws(EngineError) {
        defer { lock.release() }
        var failure: EngineError?
        for shard in shards {
            do throws(EngineError) { try shard.close() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
