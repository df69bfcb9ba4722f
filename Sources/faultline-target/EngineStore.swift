import Bytes
import Engine
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

    init(directory: ByteString, compactionPeriod: UInt64, planting bug: PlantedBug?) throws {
        self.compactionPeriod = compactionPeriod
        let storage = try PosixStorage(directory: directory)
        store =
            if let bug {
                try KeyValueStore.open(storage: storage, options: EngineStore.options, planting: bug)
            } else {
                try KeyValueStore.open(storage: storage, options: EngineStore.options)
            }
    }

    func put(_ key: ByteString, _ payload: [UInt8]) throws { try store.sync(through: store.put(key, payload)) }

    func delete(_ key: ByteString) throws { try store.sync(through: store.delete(key)) }

    func maintain(after seq: UInt64) throws {
        if compactionPeriod > 0, seq % compactionPeriod == 0 { try store.compact() }
    }

    func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        for key in store.keys {
            if let payload = try store.get(key) { try emit(key, payload) }
        }
    }

    consuming func close() throws { try store.close() }
}
