import Bytes
import Glibc
import Model
import Platform
import Synchronization

/// An inode of the mount: its id in the trace, which is also the kernel's node id, and its number in the backing
/// filesystem.
///
/// Mutable fields are guarded by the lock of `InodeTable` unless they say otherwise.
final class Inode: @unchecked Sendable {
    let id: InodeID
    /// The S_IFMT bits of the mode.
    let format: mode_t
    /// The inode number in the backing filesystem; programs see this one.
    let number: UInt64

    /// Its directory entries: one for a directory, none for the root or an unlinked file.
    var names: [DirectoryEntry] = []
    /// The entries of a directory.
    var children: [ByteString: Inode] = [:]
    /// The number of references that the kernel holds.
    var lookups: UInt64 = 0
    /// The cached O_PATH descriptor, if any.
    var descriptor: SharedDescriptor?
    /// Whether the cached descriptor was used since the clock hand passed.
    var wasUsed = false
    /// Whether it has a name in the orphan directory, so that a lost unlink can be undone.
    var isOrphaned = false

    /// The largest end of any write, allocation or size of this file in this mount. Guarded by the recorder's turn.
    private(set) var furthestBytes: UInt64 = 0

    /// Whether any process ever tried to set an extended attribute of it in this mount. Thread safe.
    let wasGivenAttributes = Atomic<Bool>(false)

    init(id: InodeID, format: mode_t, number: UInt64) {
        self.id = id
        self.format = format
        self.number = number
    }

    /// Records that a change reached up to `endBytes`. Call within a turn.
    func noteReach(_ endBytes: UInt64) { furthestBytes = max(furthestBytes, endBytes) }

    var isDirectory: Bool { format == S_IFDIR }
    var isRegular: Bool { format == S_IFREG }
}
