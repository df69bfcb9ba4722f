import Bytes
import Platform

/// The temporary directories of unfinished outputs, so that a signal handler (Ctrl-C) can remove them. Thread safe.
package enum UnfinishedOutputs {
    private static let paths = Guarded<Set<ByteString>>([])

    static func add(_ path: ByteString) { paths.withLock { _ = $0.insert(path) } }
    static func remove(_ path: ByteString) { paths.withLock { _ = $0.remove(path) } }

    /// Removes them all. Call before the process exits; threads that still fill one get errors.
    package static func removeAll() {
        for path in paths.withLock({ $0 }) {
            // Concurrent writes may make a removal fail: retry.
            for _ in 0..<10 where (try? TreeRemoval.remove(path)) == nil {}
        }
    }
}
