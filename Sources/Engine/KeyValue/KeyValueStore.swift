import Bytes
import Platform
import Storage

/// A durable map from keys to values, in a directory.
///
///     let store = try KeyValueStore.open(storage: PosixStorage(creatingDirectory: "accounts"))
///     try store.put("alice", Array("100".utf8))     // appended: a crash may still lose it
///     try store.sync()                              // durable: it survives any crash
///     try store.get("alice")
///     try store.close()
///
/// Durability: a write is durable when a `sync` that began after it has returned. After a crash the store holds a prefix of its
/// writes, in append order, which includes every durable one.
///
/// Failure: if a write to storage or a sync fails, the store is poisoned. All running syncs and all later writes and syncs
/// throw `EngineError.poisoned`; keys whose last write reached storage stay readable. Close the store and open it again to
/// continue.
///
/// Thread safe. Only one store can have a directory open; a second one throws `StorageError.directoryLocked`.
///
/// Dropping a store without `close` is like a crash of the process: unsynced writes may be lost.
public final class KeyValueStore: Sendable {
    private let engine: any KeyValueEngine

    private init(_ engine: any KeyValueEngine) { self.engine = engine }

    /// Opens the store in this directory, or creates one in an empty directory. All recovered data is durable. Other files are
    /// not touched.
    public static func open(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> KeyValueStore {
        KeyValueStore(
            try KeyValueCore<SystemCoordination, _>(storage: storage, options: options, hooks: NoHooks()))
    }

    /// A store with a planted bug, for targets in which Faultline must find it.
    package static func open(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions(), planting bug: PlantedBug
    ) throws(EngineError) -> KeyValueStore {
        let storage = bug.wrapping(storage)
        return KeyValueStore(
            try KeyValueCore<SystemCoordination, _>(storage: storage, options: options, hooks: bug.hooks))
    }

    /// A store for a scheduler, with a bug or without: its threads meet only at the primitives of `coordination` and at
    /// `storage`, and equal stores do equal steps.
    package static func open<C: Coordination>(
        storage: some Storage, options: KeyValueOptions, planting bug: PlantedBug?, coordination: C.Type
    ) throws(EngineError) -> KeyValueStore {
        KeyValueStore(
            try KeyValueCore<C, _>(
                storage: storage, options: options, hooks: bug?.hooks ?? SkippedStep(skipped: nil),
                keyHash: KeyHash(0, 0)))
    }

    /// A store without a bug whose hooks are called at run time, for a benchmark that compares it with `open`.
    package static func openAskingHooks(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> KeyValueStore {
        KeyValueStore(
            try KeyValueCore<SystemCoordination, _>(
                storage: storage, options: options, hooks: SkippedStep(skipped: nil)))
    }

    /// The report of the recovery when the store was opened.
    public var recoveryReport: RecoveryReport { engine.recoveryReport }

    /// Sets the value of a key. Keys have at most 64 KiB, values 64 MiB; larger ones are refused before anything is written.
    /// Returns the LSN of the record, for `sync(through:)`.
    @discardableResult
    public func put(_ key: ByteString, _ value: [UInt8]) throws(EngineError) -> LSN { try engine.put(key, value) }

    /// Removes a key. The deletion is also written if the key does not exist.
    @discardableResult
    public func delete(_ key: ByteString) throws(EngineError) -> LSN { try engine.delete(key) }

    /// Applies a batch atomically: after a crash all of it is there, or nothing. Concurrent readers may see a part of it.
    @discardableResult
    public func commit(_ batch: WriteBatch) throws(EngineError) -> LSN { try engine.commit(batch) }

    /// Returns when all writes before the call are durable.
    public func sync() throws(EngineError) { try engine.sync() }

    /// Returns when this write and all earlier ones are durable.
    public func sync(through lsn: LSN) throws(EngineError) { try engine.sync(through: lsn) }

    /// The value of a key, or nil. Reads the record from storage and verifies its checksum; throws `EngineError.damaged` if it
    /// is wrong.
    public func get(_ key: ByteString) throws(EngineError) -> [UInt8]? { try engine.get(key) }

    /// The location of the value of a key, or nil. A compaction may move the value at any time.
    public func place(of key: ByteString) -> ValuePlace? { engine.place(of: key) }

    public func contains(_ key: ByteString) -> Bool { engine.contains(key) }

    /// All keys, in bytewise order.
    public var keys: [ByteString] { engine.keys }

    public var count: Int { engine.count }

    /// All keys with their values, in bytewise order. With concurrent writers it is not a snapshot.
    public func items() throws(EngineError) -> [(key: ByteString, value: [UInt8])] {
        var items: [(key: ByteString, value: [UInt8])] = []
        for key in engine.keys {
            if let value = try engine.get(key) { items.append((key, value)) }
        }
        return items
    }

    /// Seals the active segment and begins the next one, as if it were full. For small workloads.
    package func rotate() throws(EngineError) { try engine.rotate() }

    /// Frees the space of replaced and deleted values: copies the live records of the older segments and removes these
    /// segments. Safe at every crash point, and with concurrent readers and writers. It needs space for a second copy of the
    /// live data.
    @discardableResult
    public func compact() throws(EngineError) -> CompactionReport { try engine.compact() }

    /// Writes the live keys to a new store in an empty directory, and does not change this one. Equal contents give equal
    /// bytes. With concurrent writers it is not a snapshot. If it throws or a crash comes before it returns, the target is
    /// incomplete and must be removed.
    @discardableResult
    public func compact(into target: some Storage) throws(EngineError) -> CompactionReport {
        try engine.compact(into: target)
    }

    /// Writes all keys and values, in bytewise order of the keys, as lines `{"key_b64":"…","value_b64":"…"}` to the file
    /// `name` of `target`. An existing file of this name stays until the new one is complete and durable. Returns the number of
    /// keys. With concurrent writers it is not a snapshot.
    @discardableResult
    public func exportJSONL(to name: ByteString, in target: some Storage) throws(EngineError) -> Int {
        try JSONLExport.write(engine.keys, to: name, in: target) { (key) throws(EngineError) in try engine.get(key) }
    }

    /// Makes all writes durable and unlocks the directory. Later calls throw `EngineError.closed`. Throws
    /// `EngineError.poisoned` if the store is poisoned; the directory is unlocked then too.
    public func close() throws(EngineError) { try engine.close() }
}
