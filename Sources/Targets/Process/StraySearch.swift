import Glibc

/// A search for stray processes that does not lose one that hops: that forks, ends, and goes on as its child, every few
/// milliseconds.
///
/// The first sweep looks at every process, and each one after it only at those that are new: so little time passes between
/// seeing a process and looking at it that even such a one is caught sooner or later. Not thread safe.
package struct StraySearch {
    private let namespace: UInt32?
    private let family = StrayProcesses.ancestors(of: getpid())
    /// Those that were looked at and are still there.
    private var seen: Set<Int32> = []

    /// What one sweep came to.
    package struct Sweep: Hashable, Sendable {
        package var strayCount = 0
        /// Processes that ended before they could be looked at: any of them may have been a stray.
        package var missedCount = 0

        package init(strayCount: Int = 0, missedCount: Int = 0) {
            (self.strayCount, self.missedCount) = (strayCount, missedCount)
        }
    }

    package init() { self.init(in: ProcessTable.ownNamespace) }

    /// Tests have marks of a namespace of their own.
    init(in namespace: UInt32?) { self.namespace = namespace }

    /// Looks at what is new, and hands each stray on at once.
    ///
    /// - Throws: `foreignProc` where /proc is that of another namespace.
    package mutating func sweep(_ take: (StrayProcesses.Stray) -> Void) throws(TargetError) -> Sweep {
        guard let namespace else { return Sweep() }
        // In a new namespace, /proc may still be that of the old one: its ids mean other processes to us.
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
