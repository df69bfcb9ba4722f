/// Why the last write that each control file refused was refused, for the status. Thread safe.
final class RefusalLog: @unchecked Sendable {
    private let lock = Lock()
    private var reasons: [(name: String, reason: String)] = []

    /// Notes why `name` refused a write, as far as a line has it; it replaces what was noted of that name before. nil takes
    /// that away.
    func note(_ name: String, _ reason: String?) {
        lock.withLock {
            reasons.removeAll { $0.name == name }
            if let reason { reasons.append((name, String(reason.prefix { !$0.isNewline }))) }
        }
    }

    func reason(_ name: String) -> String? { lock.withLock { reasons.first { $0.name == name }?.reason } }

    /// A line of the status for each.
    var lines: [String] {
        lock.withLock { reasons.sorted { $0.name < $1.name }.map { "\($0.name) \($0.reason)" } }
    }
}
