import Bytes
import Platform
import Storage

/// The key-value view of a log: the log, and a directory of live keys that recovery rebuilds from it.
///
/// Thread safe. A writer waits for another writer of the same partition of the directory while that one appends; readers lock
/// a partition only for the lookup.
final class KeyValueCore<C: Coordination, H: Hooks>: KeyValueEngine {
    var recoveryReport: RecoveryReport { log.recoveryReport }
    let options: KeyValueOptions
    let hooks: H
    let log: LogCore<C, H>
    let directory: KeyDirectory<C>
    let files: SegmentFilePool<C>
    /// Held by the running compaction.
    let compaction = C.Gate(name: "compaction gate")
    /// Only for the planted bug that skips `syncDelete`.
    private let lastDelete = Guarded<UInt64>(0)
    private let lock: any DirectoryLock
    private static var shard: UInt16 { 0 }

    /// - Parameter keyHash: random, unless equal stores must do equal steps.
    init(
        storage: any Storage, options: KeyValueOptions, hooks: H, keyHash: KeyHash = KeyHash()
    ) throws(EngineError) {
        let logOptions = try options.log.validated()
        self.options = options
        self.hooks = hooks
        lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        let directory = KeyDirectory<C>(keyHash)
        var replay = KeyValueReplay(into: directory, hooks)
        let recovered = try RecoveredLog(
            storage, shard: Self.shard, policy: logOptions.damagePolicy, damagedTail: logOptions.damagedTail,
            hooks: hooks
        ) { (frame, segment) throws(EngineError) in try replay.take(frame, segment) }
        replay.finish()
        self.directory = directory
        log = try LogCore(storage: storage, options: logOptions, recovered: recovered, hooks: hooks)
        files = SegmentFilePool(storage: storage, shard: Self.shard)
    }

    // Called through `KeyValueEngine`, where the compiler does not see the types: without these a get takes twice as long.
    @_specialize(where C == SystemCoordination, H == NoHooks)
    func put(_ key: ByteString, _ value: [UInt8]) throws(EngineError) -> LSN {
        let spot = directory.spot(of: key)
        return try spot.part.gate.withLock { () throws(EngineError) in
            let place = try append(.put, key, value)
            directory.set(key, at: spot, ValueLocation(place, payloadCount: value.count))
            return LSN(place.lsn)
        }
    }

    func delete(_ key: ByteString) throws(EngineError) -> LSN {
        let spot = directory.spot(of: key)
        return try spot.part.gate.withLock { () throws(EngineError) in
            if hooks.skips(.logDelete) {
                directory.set(key, at: spot, nil)
                return LSN(log.lastLSN)
            }
            let place = try append(.delete, key, [])
            directory.set(key, at: spot, nil)
            if hooks.skips(.syncDelete) { lastDelete.withLock { $0 = place.lsn } }
            return LSN(place.lsn)
        }
    }

    func commit(_ batch: WriteBatch) throws(EngineError) -> LSN {
        guard !batch.isEmpty else { return LSN(log.lastLSN) }
        if hooks.skips(.writeBatchAtOnce) { return try commitInParts(batch) }
        let parts = directory.parts(of: batch.parts.lazy.map(\.key))
        for part in parts { part.gate.lock() }
        defer { for part in parts.reversed() { part.gate.unlock() } }
        let places = try log.append(batch: batch.parts)
        for (part, place) in zip(batch.parts, places) {
            let isPut = part.type == .batchPut
            let location = isPut ? ValueLocation(place, payloadCount: part.payload.count) : nil
            directory.set(part.key, at: directory.spot(of: part.key), location)
        }
        // The commit record follows the last part.
        return LSN(places.last!.lsn + 1)
    }

    func append(_ type: RecordType, _ key: ByteString, _ value: [UInt8]) throws(EngineError) -> Place {
        try log.append(type, key, value)
    }

    func rotate() throws(EngineError) { try log.rotate() }

    func sync() throws(EngineError) {
        if hooks.skips(.syncDelete), lastDelete.withLock({ $0 }) == log.lastLSN { return }
        try log.sync()
    }

    func sync(through lsn: LSN) throws(EngineError) {
        if hooks.skips(.syncDelete), lastDelete.withLock({ $0 }) == lsn.rawValue { return }
        try log.sync(through: lsn.rawValue)
    }

    @_specialize(where C == SystemCoordination, H == NoHooks)
    func get(_ key: ByteString) throws(EngineError) -> [UInt8]? {
        try log.throwIfClosed()
        var location = directory[key]
        while let current = location {
            do throws(EngineError) {
                return try readValue(of: key, at: current)
            } catch {
                // A compaction may have moved the record since the lookup.
                location = directory[key]
                if location == current { throw error }
            }
        }
        return nil
    }

    /// Reads the record, after it has verified the checksum.
    @_specialize(where C == SystemCoordination, H == NoHooks)
    func readValue(of key: ByteString, at location: ValueLocation) throws(EngineError) -> [UInt8] {
        try log.writeOut(through: location.lsn)
        return try files.value(of: key, at: location, isChecked: !hooks.skips(.verifyValueChecksum))
    }

    func place(of key: ByteString) -> ValuePlace? {
        directory[key].map { ValuePlace($0, keyCount: key.count, shard: Self.shard) }
    }

    func contains(_ key: ByteString) -> Bool { directory[key] != nil }
    var keys: [ByteString] { directory.keys }
    var count: Int { directory.count }

    func close() throws(EngineError) {
        defer {
            files.close()
            lock.release()
        }
        try log.close()
    }
}
