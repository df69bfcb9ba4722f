import Bytes
import Glibc
import Model
import Platform

/// The crash states of a mount, each a directory of its root. Thread safe.
final class ServedStates: Sendable {
    private struct Tables {
        /// The roots of the states, by name.
        var roots: [ByteString: StateNode] = [:]
        var nodes: [UInt64: StateNode] = [:]
        /// The ids of the nodes of each state.
        var ids: [ByteString: [UInt64]] = [:]
        /// 1 is the root of the mount.
        var lastID: UInt64 = 1
    }

    private let tables = Guarded(Tables())
    let handles = KernelHandles()
    private let owner = (user: geteuid(), group: getegid())

    /// Gives a node of the state with this name the next id.
    func register(_ name: ByteString, _ make: (UInt64) -> StateNode) -> StateNode {
        let id = tables.withLock { tables in
            tables.lastID += 1
            return tables.lastID
        }
        let node = make(id)
        tables.withLock { tables in
            tables.nodes[id] = node
            tables.ids[name, default: []].append(id)
        }
        return node
    }

    func add(_ name: ByteString, _ state: ServedState) throws(Errno) {
        let root = try state.root()
        tables.withLock { $0.roots[name] = root }
    }

    func remove(_ name: ByteString) {
        let root = tables.withLock { tables in
            for id in tables.ids.removeValue(forKey: name) ?? [] { tables.nodes[id] = nil }
            return tables.roots.removeValue(forKey: name)
        }
        root?.state.close()
    }

    /// A node of a state. ENOENT for one of a state that is gone.
    func node(_ id: UInt) throws(Errno) -> StateNode {
        guard let node = tables.withLock({ $0.nodes[UInt64(id)] }) else { throw Errno(ENOENT) }
        return node
    }

    func state(_ name: ByteString) -> StateNode? { tables.withLock { $0.roots[name] } }

    /// The attributes of the mount's root.
    var rootAttributes: stat {
        var status = stat()
        status.st_ino = 1
        status.st_mode = S_IFDIR | 0o755
        status.st_nlink = 1
        (status.st_uid, status.st_gid) = owner
        return status
    }
}

/// An open directory of a state, with a snapshot of its entries. Used by one request at a time.
final class OpenStateDirectory: Handle, @unchecked Sendable {
    let node: StateNode
    private var listing: [(name: ByteString, node: StateNode)]?
    private let lock = Lock()

    init(_ node: StateNode) { self.node = node }

    /// The entries for a read at `offset`; a read at 0 takes a new snapshot.
    func entries(at offset: Int) throws(Errno) -> [(name: ByteString, node: StateNode)] {
        try lock.withLock { () throws(Errno) in
            if let listing, offset > 0 { return listing }
            let fresh = try node.state.list(node)
            listing = fresh
            return fresh
        }
    }
}
