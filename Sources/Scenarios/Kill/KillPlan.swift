import Bytes
import Model
import Storage

/// The event at which a process is killed, instead of a seeded time.
package enum KillTrigger: Hashable, Sendable {
    /// After this many acknowledgements in this life, once the next operation has begun.
    case acknowledgement(UInt64)
    /// When the store creates a matching file that did not exist at the first acknowledgement of this life: during a
    /// rotation, a checkpoint or a compaction, for example.
    case newFile(Glob)

    /// The number of acknowledgements; nil for another trigger.
    package var acknowledgement: Int? {
        guard case .acknowledgement(let count) = self else { return nil }
        return Int(clamping: count)
    }
}

/// The time of a kill.
enum KillPlan: Hashable, Sendable {
    /// This many seconds after the first acknowledgement of this life.
    case afterSeconds(Double)
    case at(KillTrigger)
}

/// Detects files that a store creates after the watch was made.
struct NewFileWatch {
    private let directory: ByteString
    private let known: Set<ByteString>

    package init(_ directory: ByteString) {
        self.directory = directory
        known = Set(TreeListing.paths(beneath: directory))
    }

    /// A new file that matches; nil if there is none at this moment.
    package func file(matching glob: Glob) -> ByteString? {
        TreeListing.paths(beneath: directory).first { !known.contains($0) && glob.matches($0) }
    }
}
