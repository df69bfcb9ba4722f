import Bytes
import Storage

/// An error of the engine.
public enum EngineError: Error, Hashable, Sendable {
    case storage(StorageError)
    /// An earlier write or sync failed. Nothing after it is acknowledged. Close the store and open it again; data that was
    /// durable before is still there.
    case poisoned(by: StorageError)
    case closed
    case keyTooLarge(sizeBytes: Int)
    case payloadTooLarge(sizeBytes: Int)
    case batchTooLarge(count: Int, sizeBytes: Int)
    /// A sealed segment is damaged.
    case damaged(Damage)
    /// The end of the log is damaged: durable records are missing. Opening for writing would drop the records after them, so
    /// nothing was changed. With `LogOptions.damagedTail` they are set aside, and the log opens without them.
    case damagedTail(Damage, DurabilityProof)
    /// The log does not contain this record: it was truncated, or does not exist yet.
    case noSuchRecord(LSN)
    /// A batch cannot be split.
    case withinBatch(LSN)
    /// The target directory is not empty.
    case targetNotEmpty
    /// Segment numbers have run out.
    case exhausted
    /// The log holds a record of another view, to which the directory belongs.
    case otherView(RecordType, LSN)
    /// A whole record of the event view whose content cannot be decoded.
    case malformed(RecordType, LSN)
    /// The directory has another number of shards than requested.
    case wrongShardCount(found: Int, asked: Int)
    /// There is no durable event with this sequence number to checkpoint.
    case noSuchEvent(sequence: UInt64)
    case invalidOptions(String)
}

extension EngineError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .storage(let error): error.description
        case .poisoned(let error): "the store stopped after a failure: \(error); open it again"
        case .closed: "the store is closed"
        case .keyTooLarge(let size): "a key of \(size) bytes; the limit is \(LogLimits.keySizeBytes)"
        case .payloadTooLarge(let size): "a value of \(size) bytes; the limit is \(LogLimits.payloadSizeBytes)"
        case .batchTooLarge(let count, let size):
            "a batch of \(count.counted("record")) and \(size.counted("byte")); the limits are \(LogLimits.batchCount) "
                + "and \(LogLimits.batchSizeBytes)"
        case .damaged(let damage): "damaged: \(damage)"
        case .damagedTail(let damage, let proof):
            "damaged: \(damage). This is not a torn tail: \(proof). Nothing was changed"
        case .noSuchRecord(let lsn): "the log has no record \(lsn.rawValue)"
        case .withinBatch(let lsn): "record \(lsn.rawValue) is within a batch, which cannot be cut"
        case .targetNotEmpty: "the target directory is not empty"
        case .exhausted: "the log has used its last segment number"
        case .otherView(let type, let lsn):
            "record \(lsn.rawValue) is a record of type \(type), which another view wrote; open the directory with that one"
        case .malformed(let type, let lsn): "record \(lsn.rawValue) is of type \(type), but cannot be decoded"
        case .wrongShardCount(let found, let asked):
            "the directory holds \(found.counted("shard")), but \(asked) were requested; open it with \(found)"
        case .noSuchEvent(let sequence): "no durable event has the sequence number \(sequence)"
        case .invalidOptions(let reason): "invalid options: \(reason)"
        }
    }
}

/// Calls the storage and converts its errors to `EngineError`.
@inline(__always)
package func throughStorage<Result: ~Copyable>(_ body: () throws(StorageError) -> Result) throws(EngineError) -> Result
{
    do { return try body() } catch { throw .storage(error) }
}
