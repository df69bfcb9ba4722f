/// How a scenario fails a store. What a known finding can show, and what a run below a real filesystem can confirm, follow from
/// it.
package enum FailureMode: Sendable {
    /// No fault and no crash: no known finding can show.
    case none
    /// The process is killed. The kernel keeps what it wrote.
    case processKill
    /// The power fails, with faults of files besides if the run has rules.
    case powerCut
    /// Calls on files fail. A run below a real filesystem has no counterpart.
    case fileFaults
}
