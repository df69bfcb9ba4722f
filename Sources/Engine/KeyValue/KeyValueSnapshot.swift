import Bytes
import Glibc
import Storage

/// A store as it was when it was opened, to read alone: it takes no lock and changes nothing, so that it may be used
/// beside a writer in this or another process, and on storage that may not be written.
///
/// It holds what a recovery would keep of the segments. Beside a writer that may include writes which a crash can still
/// take back. A compaction by the writer removes segments that the snapshot may need: `get` then throws
/// `EngineError.storage` (ENOENT); open another snapshot.
///
/// Threads: everything may be called from many at once.
public final class KeyValueSnapshot: Sendable {
    /// What recovery found, and what the next writer will drop.
    public let recoveryReport: RecoveryReport
    private let directory = KeyDirectory()
    private let files: SegmentFilePool
    private static var shard: UInt16 { 0 }

    /// Reads the whole log once; values stay on storage. A compaction that removes segments meanwhile makes it begin again.
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

    /// The value of a key, or nil; read from storage and verified.
    public func get(_ key: ByteString) throws(EngineError) -> [UInt8]? {
        guard let location = directory[key] else { return nil }
        return try files.value(of: key, at: location)
    }

    /// Where the value of a key lies on storage, or nil.
    public func place(of key: ByteString) -> ValuePlace? {
        directory[key].map { ValuePlace($0, keyCount: key.count, shard: Self.shard) }
    }

    public func contains(_ key: ByteString) -> Bool { directory[key] != nil }

    /// Every key, in bytewise order.
    public var keys: [ByteString] { directory.keys }

    public var count: Int { directory.count }

    /// As `KeyValueStore.compact(into:)`.
    @discardableResult
    public func compact(
        into target: some Storage, options: KeyValueOptions = KeyValueOptions()
    ) throws(EngineError) -> CompactionReport {
        try KeyValueCore<NoHooks>.write(keys, to: target, options) { (key) throws(EngineError) in try get(key) }
    }

    /// As `KeyValueStore.exportJSONL`.
    @discardableResult
    public func exportJSONL(to name: ByteString, in target: some Storage) throws(EngineError) -> Int {
        try JSONLExport.write(keys, to: name, in: target) { (key) throws(EngineError) in try get(key) }
    }

    /// The lines of `exportJSONL(to:in:)`, some at a time, for whoever keeps them elsewhere.
    @discardableResult
    public func exportJSONL(_ take: ([UInt8]) throws -> Void) throws -> Int {
        try JSONLExport.write(keys, { (key) throws in try get(key) }, take)
    }
}
