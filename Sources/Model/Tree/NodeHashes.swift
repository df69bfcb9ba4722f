import Synchronization

/// A cache of inode hashes, shared by walks of similar sets: an unchanged inode is not hashed again. All users must have
/// the same payloads. Thread safe.
public final class NodeHashes: Sendable {
    private let known = Mutex<[InodeID: (node: Node, hash: StateHash)]>([:])

    public init() {}

    /// The hash of the visible content of `node`, without its children.
    func hash(_ inode: InodeID, _ node: Node, _ hasher: TreeHasher) throws -> StateHash {
        if let last = known.withLock({ $0[inode] }), last.node == node { return last.hash }
        let hash = try hasher.withoutChildren(node)
        known.withLock { $0[inode] = (node, hash) }
        return hash
    }
}
