import Bytes
import Glibc
import Oracle

/// The outcome of recovering one directory.
package enum RecoverOutcome: Hashable, Sendable {
    /// The store opened with this content.
    case opened(Observation)
    /// The store reported an error, its recovery process died, or its output is invalid.
    case doesNotOpen(reason: String)
    /// A signal from outside killed its recovery process, such as Ctrl-C or the OOM killer. It counts only when it
    /// happens again.
    case killed(reason: String)
    /// The process answered, then died or exited with an error. It counts only when it happens again.
    case diedAfterAnswering(reason: String)
    /// It did not end within this time and was killed.
    case hangs(afterSeconds: Int)

    /// The outcome for the validator.
    package var recovery: Recovery {
        switch self {
        case .opened(let observation): .opened(observation)
        case .doesNotOpen(let reason), .killed(let reason), .diedAfterAnswering(let reason): .failed(reason: reason)
        case .hangs(let seconds): .hung(afterSeconds: seconds)
        }
    }

    /// Whether it counts only when it happens again.
    package var needsRepeating: Bool {
        switch self {
        case .killed, .diedAfterAnswering: true
        case .opened, .doesNotOpen, .hangs: false
        }
    }

    /// Replaces the store's directory by `.`, so that copies of the same state give the same messages.
    func replacingPath(_ directory: ByteString) -> RecoverOutcome {
        switch self {
        case .opened(var observation):
            if case .complaint(let complaint) = observation.ownCheck {
                observation.ownCheck = .complaint(complaint.replacingPath(directory))
            }
            return .opened(observation)
        case .hangs: return self
        case .doesNotOpen(let reason): return .doesNotOpen(reason: reason.replacingPath(directory))
        case .killed(let reason): return .killed(reason: reason.replacingPath(directory))
        case .diedAfterAnswering(let reason): return .diedAfterAnswering(reason: reason.replacingPath(directory))
        }
    }
}

extension Termination {
    /// Whether a signal from outside killed it, or the command of its shell.
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
    /// Replaces the absolute path `directory` and its resolved path by `.`.
    fileprivate func replacingPath(_ directory: ByteString) -> String {
        var paths = [directory]
        if let resolved = directory.withCString({ realpath($0, nil) }) {
            paths.append(ByteString(cString: resolved))
            free(resolved)
        }
        return Set(paths).sorted { $0.count > $1.count }.reduce(self) { $0.replacing(path: $1) }
    }

    /// Replaces `path` by `.`, except where it is the prefix of a longer name.
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
