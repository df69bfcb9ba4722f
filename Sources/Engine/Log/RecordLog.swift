import Bytes
import Platform
import Storage

/// The log as a view in another module sees it: the same core as `Log`, behind one dynamic call an operation, so that the
/// core is compiled for its coordination and hooks here.
///
/// Threads: as for `Log`.
package protocol RecordLog: AnyObject, Sendable {
    var recoveryReport: RecoveryReport { get }
    /// The LSN of the first record that the log still has, or will have.
    var firstLSN: UInt64 { get }
    /// The LSN of the last record; 0 of an empty log.
    var lastLSN: UInt64 { get }
    /// Appends a record in its place: its LSN. A crash may still lose it.
    func appendRecord(
        _ type: RecordType, _ key: ByteString, _ payload: [UInt8]
    ) throws(EngineError) -> UInt64
    /// Returns when this record and everything before it is durable.
    func sync(through lsn: UInt64) throws(EngineError)
    /// Returns when all records appended before the call are durable.
    func sync() throws(EngineError)
    /// Begins a new segment, unless the active one is empty.
    func rotate() throws(EngineError)
    /// Removes all records after `lsn`.
    func truncate(after lsn: UInt64) throws(EngineError)
    /// Removes the segments that hold only records before this one: how many.
    func removeSegments(before lsn: UInt64) throws(EngineError) -> Int
    /// A snapshot of the appended records from `first` on, durable or not. Read lazily, in bounded memory.
    func records(from first: LSN) throws(EngineError) -> LogReader
    func throwIfClosed() throws(EngineError)
    func close() throws(EngineError)
}

extension LogCore: RecordLog {
    package func appendRecord(
        _ type: RecordType, _ key: ByteString, _ payload: [UInt8]
    ) throws(EngineError) -> UInt64 {
        try append(type, key, payload).lsn
    }

    package func removeSegments(before lsn: UInt64) throws(EngineError) -> Int { try truncate(before: lsn).count }

    package func records(from first: LSN) throws(EngineError) -> LogReader {
        try throwIfClosed()
        let last = lastLSN
        try writeOut(through: last)
        return try LogReader(
            storage, shard: shard, from: first, through: last, policy: options.damagePolicy)
    }
}

/// Opens a log for a view in another module.
package enum RecordLogs {
    /// Reads the whole log of a shard, shows each record to `visit`, and opens it for appending. The frame that `visit` gets
    /// is valid only during the call.
    ///
    /// - Parameters:
    ///   - bug: a deliberate defect; nil for the log as it should be.
    ///   - coordination: the log is compiled for `SystemCoordination`; it runs with any other, more slowly.
    package static func open<C: Coordination>(
        _ storage: any Storage, shard: UInt16, options: LogOptions, planting bug: PlantedBug?, coordination: C.Type,
        visiting visit: (Frame) throws(EngineError) -> Void
    ) throws(EngineError) -> any RecordLog {
        if coordination == SystemCoordination.self {
            guard let bug else { return try open(storage, shard, options, SystemCoordination.self, NoHooks(), visit) }
            return try open(storage, shard, options, SystemCoordination.self, bug.hooks, visit)
        }
        guard let bug else { return try open(storage, shard, options, coordination, NoHooks(), visit) }
        return try open(storage, shard, options, coordination, bug.hooks, visit)
    }

    private static func open<C: Coordination, H: Hooks>(
        _ storage: any Storage, _ shard: UInt16, _ options: LogOptions, _: C.Type, _ hooks: H,
        _ visit: (Frame) throws(EngineError) -> Void
    ) throws(EngineError) -> any RecordLog {
        let recovered = try RecoveredLog(
            storage, shard: shard, policy: options.damagePolicy, damagedTail: options.damagedTail, hooks: hooks
        ) { (frame, _) throws(EngineError) in try visit(frame) }
        return try LogCore<C, H>(storage: storage, options: options, recovered: recovered, hooks: hooks)
    }
}
