import Bytes
import Oracle

/// A store as a workload drives it. A call returns once what it did is durable, and throws when the store refused.
package protocol WorkloadStore: ~Copyable, SendableMetatype {
    /// Whether several threads may call it at once; otherwise the workload's threads take turns.
    static var isThreadSafe: Bool { get }
    func put(_ key: ByteString, _ payload: [UInt8]) throws
    func delete(_ key: ByteString) throws
    /// All of these as one: after a crash all are there, or none. A store that has no batches throws
    /// `TargetError.noBatches`.
    func commit(_ batch: [OracleOperation]) throws
    /// What the store does on the side after operation `seq`, such as compaction; it changes nothing that a reader sees.
    func maintain(after seq: UInt64) throws
    /// An orderly end. A crash ends a store without it.
    consuming func close() throws
}

extension WorkloadStore where Self: ~Copyable {
    package static var isThreadSafe: Bool { false }
    package func commit(_ batch: [OracleOperation]) throws { throw TargetError.noBatches }
    package func maintain(after seq: UInt64) throws {}
}
