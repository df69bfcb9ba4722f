import Bytes
import Oracle

/// A store that a workload can use. A call returns when its effect is durable, and throws when the store fails.
package protocol WorkloadStore: ~Copyable, SendableMetatype {
    /// Whether several threads may call it concurrently; otherwise the workload serialises its calls.
    static var isThreadSafe: Bool { get }
    func put(_ key: ByteString, _ payload: [UInt8]) throws
    func delete(_ key: ByteString) throws
    /// Reads a key back; nil if it is not there, or the store cannot tell.
    func get(_ key: ByteString) throws -> [UInt8]?
    /// Whether `get` must return what the last `put` of a key stored.
    static var readsBack: Bool { get }
    /// Commits the operations atomically: after a crash all or none survive. Throws `TargetError.noBatches` if the
    /// store has no batches.
    func commit(_ batch: [OracleOperation]) throws
    /// Performs maintenance after operation `seq`, such as compaction, which does not change visible data.
    func maintain(after seq: UInt64) throws
    /// Closes the store cleanly.
    consuming func close() throws
}

extension WorkloadStore where Self: ~Copyable {
    package static var isThreadSafe: Bool { false }
    package static var readsBack: Bool { false }
    package func get(_ key: ByteString) throws -> [UInt8]? { nil }
    package func commit(_ batch: [OracleOperation]) throws { throw TargetError.noBatches }
    package func maintain(after seq: UInt64) throws {}
}
