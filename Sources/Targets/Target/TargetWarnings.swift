import Platform

/// Warnings about a target's commands that are not failures of the store. Shared by all users of one configured target.
package final class TargetWarnings: Sendable {
    private let counts = Guarded<[String: Int]>([:])

    package init() {}

    /// Adds a warning, or counts it again.
    package func add(_ text: String) { counts.withLock { $0[text, default: 0] += 1 } }

    /// Returns and removes all warnings, with counts.
    package func takeAll() -> [String] {
        counts.withLock { counts in
            defer { counts = [:] }
            return counts.sorted { $0.key < $1.key }.map { $0.value == 1 ? $0.key : "\($0.key) (\($0.value) times)" }
        }
    }
}
