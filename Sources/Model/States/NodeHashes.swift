import Synchronization

/// A cache of inode hashes, shared by walks of similar sets: an unchanged inode is not hashed again. All users must have
/// the same payloads. Thread safe.
public final class NodeHashes: Sendable {
    private let known = Mutex(HashedTree())

    public init() {}

    /// The inodes of `durable` that a walk over these effects can change, with their hashes.
    func base(_ durable: Tree, _ effects: [PendingEffect], _ hasher: TreeHasher) throws -> WalkBase {
        try known.withLock { known in
            do {
                try known.become(durable, hasher)
            } catch {
                known = HashedTree()
                throw error
            }
            return known.base(effects, hasher)
        }
    }
}

/// The part of a tree that a walk can change: the inodes with pending effects, those whose names change, and all
/// directories above them.
struct WalkBase {
    /// The inodes, the root first. Each hash includes the children that are not in `names`.
    var nodes: [(inode: InodeID, hash: StateHash)] = []
    /// The names of these inodes.
    var names: [(entry: DirectoryEntry, child: InodeID)] = []
}
