import Bytes

/// A store as a workload drives it. A call returns once what it did is durable, and throws when the store refused.
package protocol WorkloadStore: ~Copyable {
    func put(_ key: ByteString, _ payload: [UInt8]) throws
    func delete(_ key: ByteString) throws
    /// An orderly end. A crash ends a store without it.
    consuming func close() throws
}
