import Bytes
import Storage

/// A durable map from keys to values, in one directory.
///
///     let store = try KeyValueStore.open(storage: PosixStorage(creatingDirectory: "accounts"))
///     try store.put("alice", Array("100".utf8))     // appended: a crash may still lose it
///     try store.sync()                              // durable: it is there after any crash
///     try store.get("alice")
///     try store.close()
///
/// Durability: a write is durable when a `sync` that began after it has returned. After a crash the store holds the
/// effects of a prefix of its writes, in the order in which they were appended, which includes every durable one.
///
/// Failure: when a write to storage or a sync fails, the store is poisoned. Every sync that has not returned, and every
/// later write and sync, throws `EngineError.poisoned`; keys whose last write reached storage stay readable. Close it and
/// open it again to go on.
///
/// Threads: everything may be called from many at once. One store at a time has a directory; a second one is refused
/// with `StorageError.directoryLocked`.
///
/// Dropping a store without `close` is like a crash of the process: what was not synced may be lost.
public final class KeyValueStore: Sendable {
    private let engine: any KeyValueEngine

    private init(_ engine: any KeyValueEngine) { self.engine = engine }

    /// Opens the store in this directory, or begins one in an empty directory. Everything that it shows is durable.
    /// Files of other names are left alone.
    public static func open(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> KeyValueStore {
        KeyValueStore(try KeyValueCore(storage: storage, options: options, hooks: NoHooks()))
    }

    /// A store with a deliberate defect, for targets that Faultline must find guilty.
    package static func open(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions(), planting bug: PlantedBug
    ) throws(EngineError) -> KeyValueStore {
        let storage = bug.wrapping(storage)
        return KeyValueStore(try KeyValueCore(storage: storage, options: options, hooks: bug.hooks))
    }

    /// A store without a defect whose hooks are asked while it runs: what a benchmark compares `open` with.
    package static func openAskingHooks(
        storage: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> KeyValueStore {
        KeyValueStore(try KeyValueCore(storage: storage, options: options, hooks: SkippedStep(skipped: nil)))
    }

    /// What recovery found when the store was opened.
    public var recoveryReport: RecoveryReport { engine.recoveryReport }

    /// Gives a key a value. Keys have at most 64 KiB, values 64 MiB; more is refused before anything is written.
    /// Returns the place in the log, for `sync(through:)`.
    @discardableResult
    public func put(_ key: ByteString, _ value: [UInt8]) throws(EngineError) -> LSN { try engine.put(key, value) }

    /// Removes a key. An absent one too: the deletion is written all the same.
    @discardableResult
    public func delete(_ key: ByteString) throws(EngineError) -> LSN { try engine.delete(key) }

    /// Applies a batch as one: after a crash all of it is there, or nothing. Readers beside it may see it half done.
    @discardableResult
    public func commit(_ batch: WriteBatch) throws(EngineError) -> LSN { try engine.commit(batch) }

    /// Returns when everything that was written before the call is durable.
    public func sync() throws(EngineError) { try engine.sync() }

    /// Returns when this write, and every one before it, is durable.
    public func sync(through lsn: LSN) throws(EngineError) { try engine.sync(through: lsn) }

    /// The value of a key, or nil. The record is read from storage and its checksum verified: `EngineError.damaged` if it
    /// is no longer what was written.
    public func get(_ key: ByteString) throws(EngineError) -> [UInt8]? { try engine.get(key) }

    /// Where the value of a key lies on storage, or nil. It may have moved when the answer is read.
    public func place(of key: ByteString) -> ValuePlace? { engine.place(of: key) }

    public func contains(_ key: ByteString) -> Bool { engine.contains(key) }

    /// Every key, in bytewise order.
    public var keys: [ByteString] { engine.keys }

    public var count: Int { engine.count }

    /// Every key and its value, in bytewise order of the keys. Beside writers it is no snapshot.
    public func items() throws(EngineError) -> [(key: ByteString, value: [UInt8])] {
        var items: [(key: ByteString, value: [UInt8])] = []
        for key in engine.keys {
            if let value = try engine.get(key) { items.append((key, value)) }
        }
        return items
    }

    /// Seals the active segment and begins the next, as a full one would be. For small workloads.
    package func rotate() throws(EngineError) { try engine.rotate() }

    /// Gives back the space of values that were replaced or deleted: writes what is live in the older segments once more
    /// and removes those segments. Safe at every crash point; readers and writers may go on. It writes before it
    /// removes, and so needs space for the live data once more.
    @discardableResult
    public func compact() throws(EngineError) -> CompactionReport { try engine.compact() }

    /// Writes the live keys into an empty directory, as a store that holds nothing else, and leaves this one as it is. The
    /// same contents give the same bytes. Beside writers it is no snapshot. If it throws, or a crash comes before it
    /// returns, the target holds some of the keys and is to be removed.
    @discardableResult
    public func compact(into target: some Storage) throws(EngineError) -> CompactionReport {
        try engine.compact(into: target)
    }

    /// Writes every key and value, in bytewise order of the keys, as lines `{"key_b64":"…","value_b64":"…"}` to the file
    /// `name` of `target`. What the name stood for stays until the new file is whole and durable. Returns how many keys
    /// were written. Beside writers it is no snapshot.
    @discardableResult
    public func exportJSONL(to name: ByteString, in target: some Storage) throws(EngineError) -> Int {
        try JSONLExport.write(engine.keys, to: name, in: target) { (key) throws(EngineError) in try engine.get(key) }
    }

    /// Makes everything durable and gives the directory back. Later calls throw `EngineError.closed`. Throws
    /// `EngineError.poisoned` if the store was poisoned; the directory is given back then too.
    public func close() throws(EngineError) { try engine.close() }
}
