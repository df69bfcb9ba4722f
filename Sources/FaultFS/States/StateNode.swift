import Bytes
import Glibc
import Model
import Storage

/// A file or directory of a served crash state, or one that its recovery made. Guarded by the lock of its `state`.
final class StateNode: @unchecked Sendable {
    /// The entry of a directory: an inode of the crash state that nobody has looked at, or a node.
    enum Entry {
        case unseen(InodeID)
        case seen(StateNode)
    }

    /// What the kernel calls it. Never used again, so that no cache of the kernel answers for another state.
    let id: UInt64
    let state: ServedState
    let kind: NodeKind
    /// Its path in the crash state, whatever the recovery renames; nil for what the recovery made.
    let path: ByteString?
    var attributes: Attributes
    var extendedAttributes: [ByteString: ByteString] = [:]
    var entries: [ByteString: Entry] = [:]
    /// The content of a regular file; nil until it is needed.
    var file: MemoryFile?
    /// The number of names that the recovery knows of. (A state's file counts with one name, however many it has.)
    var linkCount = 1
    var modified: timespec

    init(
        id: UInt64, _ state: ServedState, _ kind: NodeKind, path: ByteString?, _ attributes: Attributes,
        modified: timespec
    ) {
        self.id = id
        self.state = state
        self.kind = kind
        self.path = path
        self.attributes = attributes
        self.modified = modified
    }

    var isDirectory: Bool { kind == .directory }

    var format: mode_t {
        switch kind {
        case .regular: S_IFREG
        case .directory: S_IFDIR
        case .symbolicLink: S_IFLNK
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        }
    }

    /// The path in the crash state of a name in this directory; nil in a directory that the recovery made.
    func path(of name: ByteString) -> ByteString? {
        path.map { $0.isEmpty ? name : $0.appending(component: name) }
    }
}
