import Targets

/// How a workload ended, and what it wrote to its standard error.
package struct WorkloadEnd: Sendable {
    package var termination: Termination
    package var complaints: String

    package init(_ termination: Termination, saying complaints: String) {
        (self.termination, self.complaints) = (termination, complaints)
    }
}

extension WorkloadEnd: CustomStringConvertible {
    /// `exited with 1; it said: no such file`
    package var description: String { "\(termination)\(saying)" }

    /// `; it said: no such file`; empty if it said nothing.
    package var saying: String { complaints.isEmpty ? "" : "; it said: \(complaints)" }
}
