import Bytes
import Glibc
import Oracle

/// What came of recovering one directory.
package enum RecoverOutcome: Hashable, Sendable {
    /// The store opened and holds this.
    case opened(Observation)
    /// The store says so, its recovery died, or what it printed cannot be understood.
    case doesNotOpen(reason: String)
    /// A signal ended its recovery that processes rarely send themselves: somebody pressed Ctrl-C, or the machine ran
    /// out of memory. Says something of the store only when it happens again.
    case killed(reason: String)
    /// It answered, and then died or failed at its exit. Once may be an accident of its own clean-up.
    case diedAfterAnswering(reason: String)
    /// It was killed after this time.
    case hangs(afterSeconds: Int)

    /// As the validator takes it.
    package var recovery: Recovery {
        switch self {
        case .opened(let observation): .opened(observation)
        case .doesNotOpen(let reason), .killed(let reason), .diedAfterAnswering(let reason): .failed(reason: reason)
        case .hangs(let seconds): .hung(afterSeconds: seconds)
        }
    }

    /// Whether it says something of the store only when it happens again.
    package var needsRepeating: Bool {
        switch self {
        case .killed, .diedAfterAnswering: true
        case .opened, .doesNotOpen, .hangs: false
        }
    }

    /// With `.` in place of the store's directory: two copies of one state say the same, wherever they are.
    func naming(_ directory: ByteString) -> RecoverOutcome {
        switch self {
        case .opened, .hangs: self
        case .doesNotOpen(let reason): .doesNotOpen(reason: reason.naming(directory))
        case .killed(let reason): .killed(reason: reason.naming(directory))
        case .diedAfterAnswering(let reason): .diedAfterAnswering(reason: reason.naming(directory))
        }
    }
}

extension Termination {
    /// Ended by a signal from outside, or by a shell whose command was.
    var isFromOutside: Bool {
        let signals = [SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM]
        return switch self {
        case .signalled(let signal): signals.contains(signal)
        case .exited(let code): signals.contains(code - 128)
        case .timedOut: false
        }
    }
}

extension String {
    /// With `.` in place of the directory at this absolute path, and of what the path resolves to.
    fileprivate func naming(_ directory: ByteString) -> String {
        var paths = [directory]
        if let resolved = directory.withCString({ realpath($0, nil) }) {
            paths.append(ByteString(cString: resolved))
            free(resolved)
        }
        return Set(paths).sorted { $0.count > $1.count }.reduce(self) { $0.replacing(path: $1) }
    }

    /// With `.` in place of the path, where no longer name begins with it.
    private func replacing(path: ByteString) -> String {
        guard path.count > 1, let text = String(validating: path.bytes, as: UTF8.self) else { return self }
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            let isWhole = rest[range.upperBound...].first.map { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "-" }
            result += rest[..<range.lowerBound] + (isWhole ?? true ? "." : text)
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
