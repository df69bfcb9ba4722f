import Bytes
import Storage

/// Why the engine refused or failed.
public enum EngineError: Error, Hashable, Sendable {
    case storage(StorageError)
    /// An earlier write or sync failed: nothing after it is acknowledged. Close the store and open it again; what was
    /// durable before is still there.
    case poisoned(by: StorageError)
    case closed
    case keyTooLarge(sizeBytes: Int)
    case payloadTooLarge(sizeBytes: Int)
    case batchTooLarge(count: Int, sizeBytes: Int)
    /// A segment that should be whole is not.
    case damaged(Damage)
    /// The end of the log is damaged: records are missing from it that were durable. Opening for writing would drop whatever
    /// stands behind; nothing was changed. `LogOptions.damagedTail` says to set that aside and go on without it.
    case damagedTail(Damage, DurabilityProof)
    /// The log does not have this record any more, or not yet.
    case noSuchRecord(LSN)
    /// A batch cannot be cut in two.
    case withinBatch(LSN)
    /// A directory that should be empty is not.
    case targetNotEmpty
    /// Segment numbers have run out.
    case exhausted
    /// The log holds a record of another view: this directory belongs to that one.
    case otherView(RecordType, LSN)
    /// A whole record of the event view that is not what this program writes.
    case malformed(RecordType, LSN)
    /// The directory holds the logs of another number of shards than the one asked for.
    case wrongShardCount(found: Int, asked: Int)
    /// There is no durable event of this sequence number to checkpoint.
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
            "damaged: \(damage). This is no torn tail: \(proof). Nothing was changed"
        case .noSuchRecord(let lsn): "the log has no record \(lsn.rawValue)"
        case .withinBatch(let lsn): "record \(lsn.rawValue) is within a batch, which cannot be cut"
        case .targetNotEmpty: "the target directory is not empty"
        case .exhausted: "the log has used its last segment number"
        case .otherView(let type, let lsn):
            "record \(lsn.rawValue) is a record of type \(type), which another view wrote; open the directory with that one"
        case .malformed(let type, let lsn): "record \(lsn.rawValue) is of type \(type) and does not read as one"
        case .wrongShardCount(let found, let asked):
            "the directory holds \(found.counted("shard")), and \(asked) were asked for; open it with \(found)"
        case .noSuchEvent(let sequence): "no durable event has the sequence number \(sequence)"
        case .invalidOptions(let reason): "invalid options: \(reason)"
        }
    }
}

/// Runs calls of the storage seam and carries their errors into the engine's.
@inline(__always)
package func throughStorage<Result: ~Copyable>(_ body: () throws(StorageError) -> Result) throws(EngineError) -> Result
{
    do { return try body() } catch { throw .storage(error) }
}
