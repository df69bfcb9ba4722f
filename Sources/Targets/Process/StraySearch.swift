import Glibc

/// A search for stray processes that also catches one that hops: that forks, exits and continues as its child every few
/// milliseconds.
///
/// The first sweep inspects every process, later sweeps only new ones. So there is little time between listing and
/// inspecting a process, and even a hopping one is caught eventually. Not thread safe.
package struct StraySearch {
    private let namespace: UInt32?
    private let family = StrayProcesses.ancestors(of: getpid())
    /// Processes that were inspected and still exist.
    private var seen: Set<Int32> = []

    /// The result of a sweep.
    package struct Sweep: Hashable, Sendable {
        package var strayCount = 0
        /// Processes that ended before they were inspected, any of which may have been a stray.
        package var missedCount = 0

        package init(strayCount: Int = 0, missedCount: Int = 0) {
            (self.strayCount, self.missedCount) = (strayCount, missedCount)
        }
    }

    package init() { self.init(in: ProcessTable.ownNamespace) }

    /// For tests, which use marks of an invented namespace.
    init(in namespace: UInt32?) { self.namespace = namespace }

    /// Inspects new processes and passes each stray to `take` at once.
    ///
    /// - Throws: `foreignProc` when /proc belongs to another namespace.
    package mutating func sweep(_ take: (StrayProcesses.Stray) -> Void) throws(TargetError) -> Sweep {
        guard let namespace else { return Sweep() }
        // In a new pid namespace /proc may still be the old one, with pids of other processes.
        guard ProcessTable.isOfOwnNamespace else { throw .foreignProc }
        var sweep = Sweep()
        let processes = try ProcessTable.everyProcess()
        seen.formIntersection(processes)
        for process in processes.sorted() where !seen.contains(process) {
            if let stray = StrayProcesses.stray(process, in: namespace, family) {
                sweep.strayCount += 1
                take(stray)
            } else if ProcessTable.startTicks(of: process) == nil {
                sweep.missedCount += 1
                continue
            }
            seen.insert(process)
        }
        return sweep
    }
}
