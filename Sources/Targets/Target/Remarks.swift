import Platform

/// What is worth a warning about a target's commands, though nothing is wrong with the store. Shared by all that drive one
/// configured target.
package final class Remarks: Sendable {
    private let counts = Guarded<[String: Int]>([:])

    package init() {}

    /// Notes that this happened once more.
    package func note(_ text: String) { counts.withLock { $0[text, default: 0] += 1 } }

    /// What was noted so far, how often; from now on it counts from zero.
    package func take() -> [String] {
        counts.withLock { counts in
            defer { counts = [:] }
            return counts.sorted { $0.key < $1.key }.map { $0.value == 1 ? $0.key : "\($0.key) (\($0.value) times)" }
        }
    }
}
