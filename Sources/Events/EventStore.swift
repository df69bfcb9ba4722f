import Bytes
import Engine
import Storage

/// A durable sequence of events without duplicates: one shard, in one directory.
///
///     let store = try EventStore.open(storage: PosixStorage(creatingDirectory: "events"))
///     let event = Event(entity: "tram 7", type: "arrived", timestamp: 1_700_000_000)
///     try store.append(event)                            // 1, and durable
///     try store.append(event)                            // 0: it is there already
///     try store.replay { sequenced in … }                // what the last checkpoint does not cover
///     try store.takeCheckpoint()                         // all that is applied …
///     try store.truncateBeforeCheckpoint()               // … may go
///
/// Durability: `append` returns when its events are durable. Events of many threads share a batch and a sync; a batch is
/// written when it is full (`EventOptions.batchCount`, `batchSizeBytes`) or when its first event has waited long enough
/// (`batchDelayMilliseconds`).
///
/// Duplicates: an event that is the same in all four fields as one that arrived within `duplicateWindowSeconds`, by the
/// store's clock, is not written and has sequence number 0; also after a reopen. That is said only once the original is
/// durable; if the original failed, so does its duplicate.
///
/// Failure: as for `KeyValueStore`. A batch that could not be made durable ends the store; its events may be there after a
/// reopen, or not.
///
/// Threads: everything may be called from many at once. One store at a time has a directory.
public final class EventStore: Sendable {
    private let engine: any EventEngine

    init(_ engine: any EventEngine) { self.engine = engine }

    /// Opens the store in this directory, or begins one. Refuses a directory of several shards, and one of another view.
    public static func open(
        storage: some Storage, options: EventOptions = EventOptions(), clock: some EventClock = WallClock()
    ) throws(EngineError) -> EventStore {
        try open(storage, options, clock, nil, NoHooks())
    }

    /// A store with a deliberate defect, for targets that Faultline must find guilty.
    package static func open(
        storage: some Storage, options: EventOptions = EventOptions(), clock: some EventClock = WallClock(),
        planting bug: PlantedBug
    ) throws(EngineError) -> EventStore {
        try open(bug.wrapping(storage), options, clock, bug, bug.hooks)
    }

    private static func open(
        _ storage: any Storage, _ options: EventOptions, _ clock: any EventClock, _ bug: PlantedBug?,
        _ hooks: some Hooks
    ) throws(EngineError) -> EventStore {
        let options = try options.validated()
        let lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        try EventShards.checkCount(1, in: storage)
        return EventStore(
            try EventCore(
                storage: storage, shard: 0, options: options, clock: clock, lock: lock, planting: bug,
                hooks: hooks))
    }

    /// What recovery found when the store was opened.
    public var recoveryReport: RecoveryReport { engine.recoveryReport }

    /// Appends an event and returns when it is durable: its sequence number, or 0 for a duplicate. Throws `keyTooLarge`
    /// for an entity or a type of more than 64 KiB.
    @discardableResult
    public func append(_ event: Event) throws(EngineError) -> UInt64 { try engine.append([event])[0] }

    /// Appends events in their order and returns when all are durable: their sequence numbers, 0 for each duplicate, also
    /// of one before it in the array. They may lie in several batches: after a crash a first part may be there.
    @discardableResult
    public func append(contentsOf events: [Event]) throws(EngineError) -> [UInt64] { try engine.append(events) }

    /// Writes the batch that fills now, and returns when everything that was appended before the call is durable.
    public func flush() throws(EngineError) { try engine.flush() }

    /// The last event that is durable; 0 before the first.
    public var lastSequence: UInt64 { engine.lastSequence }

    /// The first event that the store still has, or will have.
    public var firstSequence: UInt64 { engine.firstSequence }

    /// The last checkpoint; `Checkpoint.none` before the first.
    public var checkpoint: Checkpoint { engine.checkpoint }

    /// Notes durably that every event up to `sequence` is applied, by default up to the last durable one. Throws
    /// `noSuchEvent` for one that is not durable yet, or lies before the last checkpoint.
    @discardableResult
    public func takeCheckpoint(at sequence: UInt64? = nil) throws(EngineError) -> Checkpoint {
        try engine.takeCheckpoint(at: sequence)
    }

    /// Gives back the space of events that the last checkpoint covers, whole segments at a time. Those that the duplicate
    /// window still needs stay. Returns how many segments went; durable when it returns.
    @discardableResult
    public func truncateBeforeCheckpoint() throws(EngineError) -> Int { try engine.truncateBeforeCheckpoint() }

    /// The durable events strictly after `sequence`, by default after the last checkpoint, as they are now.
    public func events(after sequence: UInt64? = nil) throws(EngineError) -> EventReader {
        try engine.events(after: sequence ?? engine.checkpoint.sequence)
    }

    /// Shows the durable events strictly after the last checkpoint to `apply`, each once and in their order. Returns the
    /// sequence number of the last one, for `takeCheckpoint`; that of the checkpoint when there was none.
    @discardableResult
    public func replay(_ apply: (SequencedEvent) throws -> Void) throws -> UInt64 {
        var last = engine.checkpoint.sequence
        var reader = try engine.events(after: last)
        while let event = try reader.next() {
            try apply(event)
            last = event.sequence
        }
        return last
    }

    /// Writes what waits, makes everything durable and gives the directory back. Later calls throw `EngineError.closed`.
    public func close() throws(EngineError) { try engine.close() }
}
