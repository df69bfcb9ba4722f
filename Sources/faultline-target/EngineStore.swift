import Bytes
import Engine
import Oracle
import Storage
import Targets

/// The built-in key-value store as a target: each operation is synced before it returns.
struct EngineStore: WorkloadStore {
    /// Small segments, so that a workload of a hundred operations goes through several of them and a crash state is
    /// small.
    private static let options = KeyValueOptions(
        log: LogOptions(segmentSizeBytes: 32 << 10, zeroAheadBytes: 8 << 10, bufferSizeBytes: 64 << 10))

    private let store: KeyValueStore

    /// Compacts in place after every so many operations; 0 for never.
    private let compactionPeriod: UInt64

    /// Each change is a batch: the key, and its shadow with the same value. One without the other is half a batch, and is
    /// shown as a key that nobody wrote.
    private let writesBatches: Bool
    private static let shadow: ByteString = "\u{0}shadow of "

    init(
        directory: ByteString, compactionPeriod: UInt64, writesBatches: Bool = false, planting bug: PlantedBug?
    ) throws {
        self.compactionPeriod = compactionPeriod
        self.writesBatches = writesBatches
        let storage = try PosixStorage(directory: directory)
        store =
            if let bug {
                try KeyValueStore.open(storage: storage, options: EngineStore.options, planting: bug)
            } else {
                try KeyValueStore.open(storage: storage, options: EngineStore.options)
            }
    }

    func put(_ key: ByteString, _ payload: [UInt8]) throws {
        guard writesBatches else { return try store.sync(through: store.put(key, payload)) }
        var batch = WriteBatch()
        batch.put(key, payload)
        batch.put(Self.shadow(of: key), payload)
        try store.sync(through: store.commit(batch))
    }

    func delete(_ key: ByteString) throws {
        guard writesBatches else { return try store.sync(through: store.delete(key)) }
        var batch = WriteBatch()
        batch.delete(key)
        batch.delete(Self.shadow(of: key))
        try store.sync(through: store.commit(batch))
    }

    private static func shadow(of key: ByteString) -> ByteString { ByteString(shadow.bytes + key.bytes) }

    static var isThreadSafe: Bool { true }

    func commit(_ batch: [OracleOperation]) throws {
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
        try store.sync(through: store.commit(writes))
    }

    func maintain(after seq: UInt64) throws {
        if compactionPeriod > 0, seq % compactionPeriod == 0 { try store.compact() }
    }

    func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        guard writesBatches else {
            for key in store.keys {
                if let payload = try store.get(key) { try emit(key, payload) }
            }
            return
        }
        let keys = store.keys.filter { !$0.bytes.starts(with: Self.shadow.bytes) }
        var areWhole = store.count == 2 * keys.count
        for key in keys {
            guard let payload = try store.get(key) else { continue }
            try emit(key, payload)
            if try store.get(Self.shadow(of: key)) != payload { areWhole = false }
        }
        if !areWhole { try emit("half a batch", []) }
    }

    consuming func close() throws { try store.close() }
}
