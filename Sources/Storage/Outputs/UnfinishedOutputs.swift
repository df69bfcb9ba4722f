import Bytes
import Synchronization

/// The directories that are being filled under another name, for whoever ends the process in the middle (Ctrl-C): what
/// such a command was making must not stay. Thread safe.
package enum UnfinishedOutputs {
    private static let paths = Mutex<Set<ByteString>>([])

    static func add(_ path: ByteString) { paths.withLock { _ = $0.insert(path) } }
    static func remove(_ path: ByteString) { paths.withLock { _ = $0.remove(path) } }

    /// Removes them all, before the process exits. Whoever still fills one finds that it is gone.
    package static func removeAll() {
        for path in paths.withLock({ $0 }) {
            // What is being written meanwhile comes in between.
            for _ in 0..<10 where (try? TreeRemoval.remove(path)) == nil {}
        }
    }
}
