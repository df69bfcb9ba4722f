/// Hashes trees of which each differs little from the one before: a node that looks as it did is not read again. The
/// hash is that of `Tree.hash`. Not thread safe.
package struct TreeHashCache {
    private let hasher: TreeHasher
    private var known: [InodeID: (node: Node, hash: StateHash)] = [:]

    package init(payloads: any PayloadStore) { hasher = TreeHasher(payloads: payloads) }

    package mutating func hash(_ tree: Tree) throws -> StateHash { try hash(.root, tree, depth: 0) }

    private mutating func hash(_ inode: InodeID, _ tree: Tree, depth: Int) throws -> StateHash {
        guard depth < TreeHasher.deepest, let node = tree.nodes[inode] else { return .zero }
        var hash = try own(inode, node)
        for (name, child) in node.entries where tree.nodes[child] != nil {
            hash ^= .mixed(hasher.name(name), try self.hash(child, tree, depth: depth + 1))
        }
        return hash
    }

    /// Of the node without its children.
    private mutating func own(_ inode: InodeID, _ node: Node) throws -> StateHash {
        if let last = known[inode], last.node == node { return last.hash }
        let hash = try hasher.withoutChildren(node)
        known[inode] = (node, hash)
        return hash
    }
}
