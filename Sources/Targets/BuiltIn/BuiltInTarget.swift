import Bytes

/// A built-in store that can also be dumped and perform maintenance steps.
package protocol BuiltInTarget: WorkloadStore {
    /// Passes each live key with its payload to `emit`.
    func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws
    /// Performs a maintenance step, which does not change visible data. The store must support it.
    func perform(_ step: SmallStep) throws
}
