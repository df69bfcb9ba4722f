import Synchronization

/// The last changes to a tree, so that two copies of one tree can be compared without looking at every inode. Bounded: old
/// changes are dropped.
struct TreeHistory: Sendable {
    private struct Change {
        /// Unique in the process: trees that share a change share all changes before it.
        var stamp: UInt64
        var inode: InodeID
    }

    private var changes: [Change] = []
    private var forgottenCount = 0

    private static let lastStamp = Atomic<UInt64>(0)
    private static let keptAtMost = 1024

    mutating func note(_ inode: InodeID) {
        if changes.count == 2 * Self.keptAtMost {
            changes.removeFirst(Self.keptAtMost)
            forgottenCount += Self.keptAtMost
        }
        changes.append(Change(stamp: Self.lastStamp.add(1, ordering: .relaxed).newValue, inode: inode))
    }

    private var end: Int { forgottenCount + changes.count }

    private func changes(from place: Int) -> ArraySlice<Change> { changes[(place - forgottenCount)...] }

    /// The inodes changed in either tree since they were copies of each other; nil if that is unknown.
    func inodes(changedSince other: Self) -> Set<InodeID>? {
        let first = max(forgottenCount, other.forgottenCount)
        var common = min(end, other.end)
        while common > first,
            changes[common - 1 - forgottenCount].stamp != other.changes[common - 1 - other.forgottenCount].stamp
        {
            common -= 1
        }
        guard common > first else { return nil }
        return Set(changes(from: common).map(\.inode)).union(other.changes(from: common).map(\.inode))
    }
}
