/// How a process ended.
package enum Termination: Hashable, Sendable {
    case exited(code: Int32)
    /// A signal killed it.
    case signalled(Int32)
    /// It exceeded its time limit and was killed with its descendants.
    case timedOut

    package var isSuccess: Bool { self == .exited(code: 0) }
    /// The exit code of a workload for a usage error or an oracle that cannot be written: no fault of the store.
    package var isUsageError: Bool { self == .exited(code: 2) }
}

extension Termination: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let code): "exited with \(code)"
        case .signalled(let signal): "was killed by signal \(signal)"
        case .timedOut: "made no progress within its time limit and was killed"
        }
    }
}
