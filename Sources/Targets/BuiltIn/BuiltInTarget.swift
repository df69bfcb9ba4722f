import Bytes

/// What a built-in store can do beside its workload.
package protocol BuiltInTarget: WorkloadStore {
    /// Hands each live key with its payload to `emit`.
    func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws
    /// Does a step that changes nothing that a reader sees, and is one of those that the store knows.
    func perform(_ step: SmallStep) throws
}
