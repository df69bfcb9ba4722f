import Bytes
import Model
import Storage

/// What a process is killed at, if not at a seeded time.
package enum KillTrigger: Hashable, Sendable {
    /// Once so many operations of its life are acknowledged, and the next has begun.
    case acknowledgement(UInt64)
    /// As soon as the store has a file that matches and that was not there at the first acknowledgement of its life: in
    /// the middle of what makes it, be it a rotation, a checkpoint or a compaction.
    case newFile(Glob)

    /// The acknowledgement, if it is one.
    package var acknowledgement: Int? {
        guard case .acknowledgement(let count) = self else { return nil }
        return Int(clamping: count)
    }
}

/// When a workload is killed.
enum KillPlan: Hashable, Sendable {
    /// So long after the first acknowledgement of this life.
    case afterSeconds(Double)
    case at(KillTrigger)
}

/// Sees the files that a store makes from now on.
struct NewFileWatch {
    private let directory: ByteString
    private let known: Set<ByteString>

    package init(_ directory: ByteString) {
        self.directory = directory
        known = Set(TreeListing.paths(beneath: directory))
    }

    /// A new file that matches; nil when there is none, or none any more.
    package func file(matching glob: Glob) -> ByteString? {
        TreeListing.paths(beneath: directory).first { !known.contains($0) && glob.matches($0) }
    }
}
