import Bytes
import Platform

/// The files that a target's `ignore` matched in its recordings. Shared by all users of one configured target; thread safe.
package final class IgnoredFiles: Sendable {
    private let paths = Guarded<Set<ByteString>?>(nil)

    package init() {}

    /// Notes the ignored files of a recording.
    package func add(_ found: Set<ByteString>) { paths.withLock { $0 = ($0 ?? []).union(found) } }

    /// Returns and removes the files; nil if nothing was recorded.
    package func takeAll() -> Set<ByteString>? {
        paths.withLock { paths in
            defer { paths = nil }
            return paths
        }
    }
}
