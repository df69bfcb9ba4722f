import Bytes
import Glibc
import Platform
import Storage

/// A read-only snapshot of a store at the time of opening. It takes no lock and changes nothing, so that it can be used with a
/// concurrent writer in this or another process, and on read-only storage.
///
/// It holds the records that a recovery would keep. With a concurrent writer these may include writes that a crash can still
/// lose. A compaction by the writer may remove segments of the snapshot: `get` then throws `EngineError.storage` (ENOENT);
/// open another snapshot.
///
/// Thread safe.
public final class KeyValueSnapshot: Sendable {
    /// The report of the recovery, including the bytes that the next writer will drop.
    public let recoveryReport: RecoveryReport
    private let directory = KeyDirectory<SystemCoordination>()
    private let files: SegmentFilePool<SystemCoordination>
    private static var shard: UInt16 { 0 }

    /// Reads the whole log once; values stay on storage. If a compaction removes segments meanwhile, it starts again.
    public static func open(
        storage: some Storage, damagePolicy: DamagePolicy = .refuse
    ) throws(EngineError) -> KeyValueSnapshot {
        var attempts = 0
        while true {
            do throws(EngineError) { return try KeyValueSnapshot(storage, damagePolicy) } catch {
                guard case .storage(.failed(.open, _, ENOENT)) = error, attempts < 10 else { throw error }
                attempts += 1
            }
        }
    }

    private init(_ storage: any Storage, _ policy: DamagePolicy) throws(EngineError) {
        var replay = KeyValueReplay(into: directory, NoHooks())
        let recovered = try RecoveredLog(
            storage, shard: Self.shard, policy: policy, hooks: NoHooks()
        ) { (frame, segment) throws(EngineError) in try replay.take(frame, segment) }
        replay.finish()
        recoveryReport = recovered.report
        files = SegmentFilePool(storage: storage, shard: Self.shard)
    }

    /// The value of a key, read from storage and verified; nil if there is none.
    public func get(_ key: ByteString) throws(EngineError) -> [UInt8]? {
        guard let location = directory[key] else { return nil }
        return try files.value(of: key, at: location)
    }

    /// The location of the value of a key; nil if there is none.
    public func place(of key: ByteString) -> ValuePlace? {
        directory[key].map { ValuePlace($0, keyCount: key.count, shard: Self.shard) }
    }

    public func contains(_ key: ByteString) -> Bool { directory[key] != nil }

    /// All keys, in bytewise order.
    public var keys: [ByteString] { directory.keys }

    public var count: Int { directory.count }

    /// As `KeyValueStore.compact(into:)`.
    @discardableResult
    public func compact(
        into target: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> CompactionReport {
        try KeyValueCore<SystemCoordination, NoHooks>.write(keys, to: target, options) { (key) throws(EngineError) in
            try get(key)
        }
    }

    /// As `KeyValueStore.exportJSONL`.
    @discardableResult
    public func exportJSONL(to name: ByteString, in target: some Storage) throws(EngineError) -> Int {
        try JSONLExport.write(keys, to: name, in: target) { (key) throws(EngineError) in try get(key) }
    }

    /// Passes the lines of `exportJSONL(to:in:)` to `body`, several at a time.
    @discardableResult
    public func exportJSONL(_ take: ([UInt8]) throws -> Void) throws -> Int {
        try JSONLExport.write(keys, { (key) throws in try get(key) }, take)
    }
}
