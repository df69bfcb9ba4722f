import Targets

/// How a workload ended, and what it wrote to its standard error.
package struct WorkloadEnd: Sendable {
    package var termination: Termination
    package var errorOutput: String

    package init(_ termination: Termination, errorOutput: String) {
        (self.termination, self.errorOutput) = (termination, errorOutput)
    }
}

extension WorkloadEnd: CustomStringConvertible {
    /// `exited with 1; it said: no such file`
    package var description: String { "\(termination)\(errorSuffix)" }

    /// `; it said: no such file`; empty if it said nothing.
    package var errorSuffix: String { errorOutput.isEmpty ? "" : "; it said: \(errorOutput)" }
}
