import Bytes

/// Why the power was cut.
package enum FreezeReason: Hashable, Sendable {
    /// Requested through the library or `.faultline/control`.
    case requested
    case crashPoint(CrashPoint)
    /// A `crash` rule fired.
    case rule(ByteString)
    /// The trace could not be written, so later changes would not be recorded.
    case traceFailed(String)
}

extension FreezeReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .requested: "on request"
        case .crashPoint: "at the crash point"
        case .rule(let rule): "by the rule \(rule)"
        case .traceFailed(let why): "because the trace cannot be written: \(why)"
        }
    }
}
