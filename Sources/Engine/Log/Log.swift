import Bytes
import Platform
import Storage

/// A write-ahead log: a durable sequence of records in a directory, for views that interpret the records.
///
///     let log = try Log.open(storage: PosixStorage(creatingDirectory: "journal"))
///     let lsn = try log.append(record)       // in order; a crash may still lose it
///     try log.sync(through: lsn)             // durable, with all earlier records
///     var reader = try log.records()
///     while let record = try reader.next() { … }
///
/// Durability and failures are as for `KeyValueStore`. The format is in `docs/log-format.md`.
///
/// Thread safe. Appends wait for each other only while the buffer is written out and while a segment is replaced; syncs of
/// several threads share one fsync.
public final class Log: Sendable {
    let core: LogCore<SystemCoordination, NoHooks>
    private let lock: any DirectoryLock
    /// The report of the recovery when the log was opened.
    public var recoveryReport: RecoveryReport { core.recoveryReport }

    /// Opens the log in this directory, or creates one. All recovered records are durable.
    public static func open(
        storage: some Storage, shard: UInt16 = 0, options: LogOptions = LogOptions()
    ) throws(EngineError) -> Log {
        try Log(storage, shard: shard, options: options)
    }

    private init(_ storage: any Storage, shard: UInt16, options: LogOptions) throws(EngineError) {
        let options = try options.validated()
        guard shard <= SegmentName.largestShard else {
            throw .invalidOptions("shard is \(shard), above \(SegmentName.largestShard)")
        }
        lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        let recovered = try RecoveredLog(
            storage, shard: shard, policy: options.damagePolicy, damagedTail: options.damagedTail,
            hooks: NoHooks()
        ) { (_, _) in }
        core = try LogCore(storage: storage, options: options, recovered: recovered, hooks: NoHooks())
    }

    /// Appends a raw record of at most 64 MiB. It is durable after a sync that begins after this has returned.
    @discardableResult
    public func append(_ payload: [UInt8]) throws(EngineError) -> LSN {
        try payload.withUnsafeBufferPointer { (payload) throws(EngineError) in
            let key = UnsafeRawBufferPointer(start: nil, count: 0)
            return LSN(try core.append(.raw, key: key, payload: UnsafeRawBufferPointer(payload)).lsn)
        }
    }

    /// Appends a record and returns when it is durable.
    @discardableResult
    public func appendAndSync(_ payload: [UInt8]) throws(EngineError) -> LSN {
        let lsn = try append(payload)
        try core.sync(through: lsn.rawValue)
        return lsn
    }

    /// Returns when all records appended before the call are durable.
    public func sync() throws(EngineError) { try core.sync() }

    /// Returns when this appended record and all earlier ones are durable.
    public func sync(through lsn: LSN) throws(EngineError) {
        guard lsn.rawValue <= core.lastLSN else { throw .noSuchRecord(lsn) }
        try core.sync(through: lsn.rawValue)
    }

    /// The LSN of the first record in the log; of the next one if the log is empty.
    public var firstLSN: LSN { LSN(core.firstLSN) }
    /// The LSN of the last appended record.
    public var lastLSN: LSN { LSN(core.lastLSN) }
    /// The LSN of the last record known to be durable.
    public var durableLSN: LSN { LSN(core.durableLSN) }

    /// A snapshot of the appended records from `first` on, durable or not. Read lazily, in bounded memory.
    public func records(from first: LSN = .none) throws(EngineError) -> LogReader {
        try core.records(from: first)
    }

    /// Begins a new segment, unless the active one is empty.
    public func rotate() throws(EngineError) { try core.rotate() }

    /// Removes all records after `lsn`; the next record gets the LSN after it. Durable when it returns; a crash in between
    /// leaves some of them. Throws `noSuchRecord` for an LSN that is not in the log, and `withinBatch`.
    public func truncate(after lsn: LSN) throws(EngineError) { try core.truncate(after: lsn.rawValue) }

    /// Frees the space of records before `lsn`, in whole segments. The segment of `lsn` and the active one stay. Durable when
    /// it returns. Returns the number of removed segments.
    @discardableResult
    public func truncate(before lsn: LSN) throws(EngineError) -> Int { try core.truncate(before: lsn.rawValue).count }

    /// Makes all records durable and unlocks the directory. Later calls throw `EngineError.closed`.
    public func close() throws(EngineError) {
        defer { lock.release() }
        try core.close()
    }
}
