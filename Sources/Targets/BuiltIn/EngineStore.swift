import Bytes
import Engine
import Oracle
import Platform
import Storage

/// The built-in key-value store as a target: each operation is synced before it returns.
package struct EngineStore: BuiltInTarget {
    /// How the store is used, and its planted bug.
    package struct Configuration: Sendable {
        /// Compacts after so many operations; 0 for never.
        package var compactionPeriod: UInt64
        /// Writes each change as a batch of the key and a shadow key with the same value. One without the other is half
        /// a batch; the dump then has an extra key.
        package var writesBatches: Bool
        /// Small, so that a hundred operations fill several segments and crash states stay small.
        package var segmentKiB: Int
        /// Closes and reopens the store after a failed operation, as a restarted application would.
        package var reopensAfterFailure: Bool
        package var planted: PlantedBug?

        package init(
            compactionPeriod: UInt64 = 40, writesBatches: Bool = false, segmentKiB: Int = 32,
            reopensAfterFailure: Bool = false, planted: PlantedBug? = nil
        ) {
            self.compactionPeriod = compactionPeriod
            self.writesBatches = writesBatches
            self.segmentKiB = segmentKiB
            self.reopensAfterFailure = reopensAfterFailure
            self.planted = planted
        }
    }

    /// The open store; replaced when it is reopened.
    private let current: Guarded<KeyValueStore>
    private let storage: any Storage

    private let configuration: Configuration
    private let timings: CallTimings?
    private var writesBatches: Bool { configuration.writesBatches }
    private static let shadow: ByteString = "\u{0}shadow of "

    package init(storage: any Storage, _ configuration: Configuration, _ timings: CallTimings? = nil) throws {
        self.timings = timings
        self.configuration = configuration
        self.storage = storage
        current = Guarded(try EngineStore.open(storage, configuration))
    }

    private static func open(
        _ storage: any Storage, _ configuration: Configuration
    ) throws(EngineError) -> KeyValueStore {
        let options = KeyValueOptions(
            log: LogOptions(
                segmentSizeBytes: configuration.segmentKiB << 10, zeroAheadBytes: 8 << 10, bufferSizeBytes: 64 << 10))
        guard let bug = configuration.planted else {
            return try KeyValueStore.open(storage: storage, options: options)
        }
        return try KeyValueStore.open(storage: storage, options: options, planting: bug)
    }

    private var store: KeyValueStore { current.withLock { $0 } }

    /// Runs `write` and syncs it.
    private func durably(_ write: (KeyValueStore) throws(EngineError) -> LSN) throws {
        let store = store
        do {
            let lsn = try timings.timing(.put) { () throws(EngineError) in try write(store) }
            try timings.timing(.sync) { () throws(EngineError) in try store.sync(through: lsn) }
        } catch {
            if configuration.reopensAfterFailure { try reopen(insteadOf: store) }
            throw error
        }
    }

    /// Reopens the store, once per failure: several threads may report the same one.
    private func reopen(insteadOf failed: KeyValueStore) throws {
        try current.withLock { store in
            guard store === failed else { return }
            // close() rethrows the poisoning error; ignored.
            try? store.close()
            store = try EngineStore.open(storage, configuration)
        }
    }

    package func put(_ key: ByteString, _ payload: [UInt8]) throws {
        guard writesBatches else { return try durably { (store) throws(EngineError) in try store.put(key, payload) } }
        var batch = WriteBatch()
        batch.put(key, payload)
        batch.put(Self.shadow(of: key), payload)
        try commit(batch)
    }

    package func delete(_ key: ByteString) throws {
        guard writesBatches else { return try durably { (store) throws(EngineError) in try store.delete(key) } }
        var batch = WriteBatch()
        batch.delete(key)
        batch.delete(Self.shadow(of: key))
        try commit(batch)
    }

    private func commit(_ batch: WriteBatch) throws {
        try durably { (store) throws(EngineError) in try store.commit(batch) }
    }

    private static func shadow(of key: ByteString) -> ByteString { ByteString(shadow.bytes + key.bytes) }

    package static var isThreadSafe: Bool { true }
    package static var readsBack: Bool { true }

    package func get(_ key: ByteString) throws -> [UInt8]? { try store.get(key) }

    package func commit(_ batch: [OracleOperation]) throws {
        var writes = WriteBatch()
        for operation in batch {
            switch operation.action {
            case .put(let payload):
                writes.put(operation.key, payload)
                if writesBatches { writes.put(Self.shadow(of: operation.key), payload) }
            case .delete:
                writes.delete(operation.key)
                if writesBatches { writes.delete(Self.shadow(of: operation.key)) }
            }
        }
        try commit(writes)
    }

    package func maintain(after seq: UInt64) throws {
        let period = configuration.compactionPeriod
        if period > 0, seq % period == 0 { try store.compact() }
    }

    package func perform(_ step: SmallStep) throws {
        switch step {
        case .rotate: try store.rotate()
        case .compact: try store.compact()
        default: preconditionFailure("the key-value view does not know the step '\(step.rawValue)'")
        }
    }

    package func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        guard writesBatches else {
            for key in store.keys {
                if let payload = try store.get(key) { try emit(key, payload) }
            }
            return
        }
        let keys = store.keys.filter { !$0.bytes.starts(with: Self.shadow.bytes) }
        var areComplete = store.count == 2 * keys.count
        for key in keys {
            guard let payload = try store.get(key) else { continue }
            try emit(key, payload)
            if try store.get(Self.shadow(of: key)) != payload { areComplete = false }
        }
        if !areComplete { try emit("(incomplete batch)", []) }
    }

    package consuming func close() throws { try store.close() }
}
