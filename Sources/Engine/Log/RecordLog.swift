import Bytes
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
    /// Removes the segments that hold only records before this one: how many.
    func removeSegments(before lsn: UInt64) throws(EngineError) -> Int
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
}

/// Opens a log for a view in another module.
package enum RecordLogs {
    /// Reads the whole log of a shard, shows each record to `visit`, and opens it for appending. The frame that `visit` gets
    /// is valid only during the call.
    ///
    /// - Parameter bug: a deliberate defect; nil for the log as it should be.
    package static func open(
        _ storage: any Storage, shard: UInt16, options: LogOptions, planting bug: PlantedBug?,
        visiting visit: (Frame) throws(EngineError) -> Void
    ) throws(EngineError) -> any RecordLog {
        guard let bug else { return try open(storage, shard, options, NoHooks(), visit) }
        return try open(storage, shard, options, bug.hooks, visit)
    }

    private static func open<H: Hooks>(
        _ storage: any Storage, _ shard: UInt16, _ options: LogOptions, _ hooks: H,
        _ visit: (Frame) throws(EngineError) -> Void
    ) throws(EngineError) -> any RecordLog {
        let recovered = try RecoveredLog(
            storage, shard: shard, policy: options.damagePolicy, damagedTail: options.damagedTail, hooks: hooks
        ) { (frame, _) throws(EngineError) in try visit(frame) }
        return try LogCore<SystemCoordination, H>(
            storage: storage, options: options, recovered: recovered, hooks: hooks)
    }
}
