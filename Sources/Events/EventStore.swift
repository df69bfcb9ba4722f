import Bytes
import Engine
import Platform
import Storage

/// A durable sequence of events without duplicates: one shard, in a directory.
///
///     let store = try EventStore.open(storage: PosixStorage(creatingDirectory: "events"))
///     let event = Event(entity: "tram 7", type: "arrived", timestamp: 1_700_000_000)
///     try store.append(event)                            // 1, and durable
///     try store.append(event)                            // 0: a duplicate
///     try store.replay { sequenced in … }                // the events after the last checkpoint
///     try store.takeCheckpoint()                         // all events are applied,
///     try store.truncateBeforeCheckpoint()               // so free their space
///
/// Durability: `append` returns when its events are durable. Events of several threads share a batch and a sync. A batch is
/// written when it is full (`EventOptions.batchCount`, `batchSizeBytes`) or after a delay (`batchDelayMilliseconds`).
///
/// Duplicates: an event that equals, in all four fields, one that arrived within `duplicateWindowSeconds` by the store's clock
/// is not written and gets sequence number 0, also after a reopen. `append` returns 0 only when the original is durable; if the
/// original failed, so does its duplicate.
///
/// Failure: as for `KeyValueStore`. If a batch cannot be made durable, the store is poisoned; its events may or may not be there
/// after a reopen.
///
/// Thread safe. Only one store can have a directory open.
public final class EventStore: Sendable {
    private let engine: any EventEngine

    init(_ engine: any EventEngine) { self.engine = engine }

    /// Opens the store in this directory, or creates one. Refuses a directory of several shards or of another view.
    public static func open(
        storage: some Storage, options: EventOptions = EventOptions(), clock: some EventClock = WallClock()
    ) throws(EngineError) -> EventStore {
        try open(storage, options, clock, nil, NoHooks(), SystemCoordination.self)
    }

    /// A store with a planted bug, for targets in which Faultline must find it.
    package static func open(
        storage: some Storage, options: EventOptions = EventOptions(), clock: some EventClock = WallClock(),
        planting bug: PlantedBug
    ) throws(EngineError) -> EventStore {
        try open(bug.wrapping(storage), options, clock, bug, bug.hooks, SystemCoordination.self)
    }

    /// A store for a scheduler, with a bug or without: its threads meet only at the primitives of `coordination` and at
    /// `storage`.
    package static func open(
        storage: some Storage, options: EventOptions, clock: some EventClock, planting bug: PlantedBug?,
        coordination: (some Coordination).Type
    ) throws(EngineError) -> EventStore {
        try open(storage, options, clock, bug, bug?.hooks ?? SkippedStep(skipped: nil), coordination)
    }

    private static func open<C: Coordination>(
        _ storage: any Storage, _ options: EventOptions, _ clock: any EventClock, _ bug: PlantedBug?,
        _ hooks: some Hooks, _ coordination: C.Type
    ) throws(EngineError) -> EventStore {
        let options = try options.validated()
        let lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        try EventShards.checkCount(1, in: storage)
        return EventStore(
            try EventCore<C, _>(
                storage: storage, shard: 0, options: options, clock: clock, lock: lock, planting: bug,
                hooks: hooks))
    }

    /// The report of the recovery when the store was opened.
    public var recoveryReport: RecoveryReport { engine.recoveryReport }

    /// Appends an event and returns when it is durable: its sequence number, or 0 for a duplicate. Throws `keyTooLarge`
    /// for an entity or a type of more than 64 KiB.
    @discardableResult
    public func append(_ event: Event) throws(EngineError) -> UInt64 { try engine.append([event])[0] }

    /// Appends events in order and returns when all are durable: their sequence numbers, or 0 for duplicates, also of an earlier
    /// event in the array. They may be in several batches, so that after a crash only the first ones may be there.
    @discardableResult
    public func append(contentsOf events: [Event]) throws(EngineError) -> [UInt64] { try engine.append(events) }

    /// Writes the current batch, and returns when all events appended before the call are durable.
    public func flush() throws(EngineError) { try engine.flush() }

    /// The sequence number of the last durable event; 0 if there is none.
    public var lastSequence: UInt64 { engine.lastSequence }

    /// The sequence number of the first event in the store; of the next one if the store is empty.
    public var firstSequence: UInt64 { engine.firstSequence }

    /// The last checkpoint; `Checkpoint.none` if there is none.
    public var checkpoint: Checkpoint { engine.checkpoint }

    /// Durably records that all events up to `sequence` are applied, by default up to the last durable one. Throws `noSuchEvent`
    /// for an event that is not durable, or is before the last checkpoint.
    @discardableResult
    public func takeCheckpoint(at sequence: UInt64? = nil) throws(EngineError) -> Checkpoint {
        try engine.takeCheckpoint(at: sequence)
    }

    /// Frees the space of events that the last checkpoint covers, in whole segments. Events that the duplicate window needs stay.
    /// Durable when it returns. Returns the number of removed segments.
    @discardableResult
    public func truncateBeforeCheckpoint() throws(EngineError) -> Int { try engine.truncateBeforeCheckpoint() }

    /// A reader of the durable events after `sequence`, by default after the last checkpoint. A snapshot.
    public func events(after sequence: UInt64? = nil) throws(EngineError) -> EventReader {
        try engine.events(after: sequence ?? engine.checkpoint.sequence)
    }

    /// Passes the durable events after the last checkpoint to `apply`, each once and in order. Returns the sequence number of
    /// the last one, for `takeCheckpoint`; that of the checkpoint if there was none.
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

    /// Writes the current batch, makes all events durable and unlocks the directory. Later calls throw `EngineError.closed`.
    public func close() throws(EngineError) { try engine.close() }
}
