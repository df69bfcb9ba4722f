import Platform

/// The time that threads spend in the steps of recoveries. Thread safe.
package final class RecoveryClock: Sendable {
    package enum Step: Int, CaseIterable, Sendable {
        /// A whole recovery, with its files and the second recovery that must show the same.
        case whole
        /// Starting the recover process, and the server until it is ready.
        case start
        /// From the request to the last line of the dump.
        case recover
        /// The store's own checker.
        case check
        /// Killing the server.
        case stop
    }

    private let spent = Guarded<[Double]>(Array(repeating: 0, count: Step.allCases.count))

    package init() {}

    package func measure<Value, Failure: Error>(
        _ step: Step, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let began = MonotonicTime.seconds()
        defer {
            let seconds = MonotonicTime.seconds() - began
            spent.withLock { $0[step.rawValue] += seconds }
        }
        return try body()
    }

    /// The seconds spent in a step by all threads.
    package func seconds(of step: Step) -> Double { spent.withLock { $0[step.rawValue] } }
}
