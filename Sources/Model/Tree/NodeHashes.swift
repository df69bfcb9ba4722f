import Synchronization

/// The hashes of inodes as they were last asked for: of sets that differ little, an inode that looks as it did is not
/// read again. All who share one must have the same payloads. Thread safe.
public final class NodeHashes: Sendable {
    private let known = Mutex<[InodeID: (node: Node, hash: StateHash)]>([:])

    public init() {}

    /// The hash of what is visible of `node` without its children.
    func hash(_ inode: InodeID, _ node: Node, _ hasher: TreeHasher) throws -> StateHash {
        if let last = known.withLock({ $0[inode] }), last.node == node { return last.hash }
        let hash = try hasher.withoutChildren(node)
        known.withLock { $0[inode] = (node, hash) }
        return hash
    }
}
