/// How a process ended.
package enum Termination: Hashable, Sendable {
    case exited(code: Int32)
    /// A signal ended it, from whomever.
    case signalled(Int32)
    /// It did not end in the time it was given, and was killed with everything below it.
    case timedOut

    package var isSuccess: Bool { self == .exited(code: 0) }
    /// What a workload ends with when it was called wrongly or cannot keep the oracle: nothing that the store did.
    package var isWrongCall: Bool { self == .exited(code: 2) }
}

extension Termination: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let code): "exited with \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .timedOut: "made no progress in the time it was given, and was killed"
        }
    }
}
