import Bytes

/// Why nothing takes effect any more.
package enum FreezeReason: Hashable, Sendable {
    /// Asked for through the library or `.faultline/control`.
    case asked
    case crashPoint(CrashPoint)
    /// A rule said so.
    case rule(ByteString)
    /// The trace could not be written: what follows would not be recorded.
    case traceFailed(String)
}

extension FreezeReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .asked: "as it was asked for"
        case .crashPoint: "at the crash point"
        case .rule(let rule): "by the rule \(rule)"
        case .traceFailed(let why): "for the trace cannot be written: \(why)"
        }
    }
}
