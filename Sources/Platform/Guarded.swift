/// A value that is accessible only under its lock.
package final class Guarded<State: ~Copyable>: @unchecked Sendable {
    @usableFromInline let lock = Lock()
    @usableFromInline var state: State

    package init(_ state: consuming State) { self.state = state }

    /// Runs `body` with exclusive access to the state. Not reentrant.
    @inlinable
    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&state)
    }
}
