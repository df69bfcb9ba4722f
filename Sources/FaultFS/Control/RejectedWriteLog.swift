import Platform

/// For each control file, why its last rejected write was rejected. Shown in the status. Thread safe.
final class RejectedWriteLog: @unchecked Sendable {
    private let lock = Lock()
    private var reasons: [(name: String, reason: String)] = []

    /// Sets the reason for `name`, up to its first newline; nil removes it.
    func note(_ name: String, _ reason: String?) {
        lock.withLock {
            reasons.removeAll { $0.name == name }
            if let reason { reasons.append((name, String(reason.prefix { !$0.isNewline }))) }
        }
    }

    func reason(_ name: String) -> String? { lock.withLock { reasons.first { $0.name == name }?.reason } }

    /// The status lines, one per file.
    var lines: [String] {
        lock.withLock { reasons.sorted { $0.name < $1.name }.map { "\($0.name) \($0.reason)" } }
    }
}
