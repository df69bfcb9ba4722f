import Bytes
import Glibc
import Model
import Synchronization

/// An inode of the mount: its identity in the trace, in the kernel (the node id is the `InodeID`) and below.
///
/// Mutable fields belong to the `InodeTable` and are touched only under its lock, but for those that say otherwise.
final class Inode: @unchecked Sendable {
    let id: InodeID
    /// The S_IFMT bits of the mode.
    let format: mode_t
    /// The inode number in the backing filesystem, which is the one that callers see.
    let number: UInt64

    /// Where it is found. Empty once it is unlinked; a directory has one; the root has none.
    var names: [Entry] = []
    /// The entries of a directory.
    var children: [ByteString: Inode] = [:]
    /// How many references the kernel holds.
    var lookups: UInt64 = 0
    /// A handle on the inode (O_PATH), while one is cached.
    var descriptor: Descriptor?
    /// Whether the cached descriptor was used since the clock hand passed.
    var wasUsed = false
    /// Whether the limbo keeps a name for it, so that an unlink that was lost can be taken back.
    var isInLimbo = false

    /// No byte from here on was ever written, allocated or counted to its size since it was made in this mount. Belongs to
    /// whoever has the turn.
    private(set) var furthestBytes: UInt64 = 0

    /// Whether anybody ever asked to set an extended attribute of it in this mount. Safe from any thread.
    let wasGivenAttributes = Atomic<Bool>(false)

    init(id: InodeID, format: mode_t, number: UInt64) {
        self.id = id
        self.format = format
        self.number = number
    }

    /// Notes that something was done to it up to this byte. Within a turn.
    func reached(_ endBytes: UInt64) { furthestBytes = max(furthestBytes, endBytes) }

    var isDirectory: Bool { format == S_IFDIR }
    var isRegular: Bool { format == S_IFREG }
}
