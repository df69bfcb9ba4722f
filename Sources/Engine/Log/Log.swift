import Bytes
import Storage

/// A durable sequence of records, in one directory: the write-ahead log for whoever brings a view of their own.
///
///     let log = try Log.open(storage: PosixStorage(creatingDirectory: "journal"))
///     let lsn = try log.append(record)       // in its place; a crash may still lose it
///     try log.sync(through: lsn)             // durable, with everything before it
///     var reader = try log.records()
///     while let record = try reader.next() { … }
///
/// Durability and failure are those of `KeyValueStore`; `docs/log-format.md` is the format.
///
/// Threads: everything may be called from many at once. Appends wait for each other only while the buffer is written
/// out and while a segment is replaced; syncs of many threads share one.
public final class Log: Sendable {
    let core: LogCore<SystemCoordination, NoHooks>
    private let shard: UInt16
    private let lock: any DirectoryLock
    /// What recovery found when the log was opened.
    public var recoveryReport: RecoveryReport { core.recoveryReport }

    /// Opens the log in this directory, or begins one. Everything that it shows is durable.
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
        self.shard = shard
        lock = try throughStorage { () throws(StorageError) in try storage.lockDirectory() }
        let recovered = try RecoveredLog(
            storage, shard: shard, policy: options.damagePolicy, damagedTail: options.damagedTail,
            hooks: NoHooks()
        ) { (_, _) in }
        core = try LogCore(storage: storage, options: options, recovered: recovered, hooks: NoHooks())
    }

    /// Appends a raw record of at most 64 MiB. It is durable after a sync that begins when this has returned.
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

    /// Returns when everything that was appended before the call is durable.
    public func sync() throws(EngineError) { try core.sync() }

    /// Returns when this record, which was appended, and every one before it is durable.
    public func sync(through lsn: LSN) throws(EngineError) {
        guard lsn.rawValue <= core.lastLSN else { throw .noSuchRecord(lsn) }
        try core.sync(through: lsn.rawValue)
    }

    /// The first record that the log still has, or will have.
    public var firstLSN: LSN { LSN(core.firstLSN) }
    /// The last record that was appended.
    public var lastLSN: LSN { LSN(core.lastLSN) }
    /// The last record that is known to be durable.
    public var durableLSN: LSN { LSN(core.durableLSN) }

    /// A snapshot: the records from `first` on that have been appended by now, durable or not. Lazy, in bounded memory.
    public func records(from first: LSN = .none) throws(EngineError) -> LogReader {
        try core.throwIfClosed()
        let last = core.lastLSN
        try core.writeOut(through: last)
        return try LogReader(core.storage, shard: shard, from: first, through: last, policy: core.options.damagePolicy)
    }

    /// Begins a new segment, unless the active one holds no record.
    public func rotate() throws(EngineError) { try core.rotate() }

    /// Takes back every record after `lsn`; the next record gets the LSN after it. Durable when it returns; a crash in
    /// the middle leaves some of them. Throws `noSuchRecord` for an LSN that the log does not hold, and `withinBatch`.
    public func truncate(after lsn: LSN) throws(EngineError) { try core.truncate(after: lsn.rawValue) }

    /// Gives back the space of records before `lsn`, whole segments at a time; records of the segment that holds `lsn`,
    /// and of the active one, stay. Durable when it returns. Returns how many segments went.
    @discardableResult
    public func truncate(before lsn: LSN) throws(EngineError) -> Int { try core.truncate(before: lsn.rawValue).count }

    /// Makes everything durable and gives the directory back. Later calls throw `EngineError.closed`.
    public func close() throws(EngineError) {
        defer { lock.release() }
        try core.close()
    }
}
