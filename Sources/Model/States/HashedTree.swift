import Bytes

/// A tree with the hash of each inode. Updating it to a similar tree costs time in proportion to the changes.
struct HashedTree {
    private var tree: Tree
    /// Without children.
    private var own: [InodeID: StateHash] = [:]
    /// With children.
    private var whole: [InodeID: StateHash] = [:]
    /// The first name of each inode, and the other names of the few that have several.
    private var names: [InodeID: DirectoryEntry] = [:]
    private var furtherNames: [InodeID: Set<DirectoryEntry>] = [:]
    /// Whether a directory lies within itself: hashes with children are undefined then.
    private var hasCycle = false

    /// Starts with an empty tree.
    init() {
        tree = Tree()
        tree.nodes = [:]
    }

    // MARK: - Updating

    /// The change of an inode's hash, and the names that changed in a directory.
    private struct Change {
        var hash = StateHash.zero
        var names: Set<ByteString> = []
    }

    /// Updates to `next`. Throws if the data of an inode cannot be read; discard the value then.
    mutating func become(_ next: Tree, _ hasher: TreeHasher) throws {
        if hasCycle { self = HashedTree() }
        let changed = next.inodesChanged(since: tree)
        guard !changed.isEmpty else { return }
        var changes: [InodeID: Change] = [:]
        for inode in changed {
            let (before, after) = (tree.nodes[inode], next.nodes[inode])
            var change = Change()
            let hash = try after.map(hasher.withoutChildren)
            change.hash = (own[inode] ?? .zero) ^ (hash ?? .zero)
            own[inode] = hash
            for name in Node.namesChanged(from: before, to: after) {
                change.names.insert(name)
                if let child = before?.entries[name] {
                    change.hash ^= contribution(name, child, in: tree, hasher)
                    remove(DirectoryEntry(inode, name), of: child)
                }
                if let child = after?.entries[name] { insert(DirectoryEntry(inode, name), of: child) }
            }
            changes[inode] = change
        }
        let stale = closure(of: changed)
        forgetContributions(of: stale, &changes, hasher)
        tree = next
        addContributions(ofOthersThan: stale, &changes, hasher)
        resolve(stale, &changes, hasher)
    }

    /// The contribution of a child to the hash of its directory.
    private func contribution(_ name: ByteString, _ child: InodeID, in tree: Tree, _ hasher: TreeHasher) -> StateHash {
        guard tree.nodes[child] != nil, let hash = whole[child] else { return .zero }
        return .mixed(hasher.name(name), hash)
    }

    /// Removes the old contributions of stale inodes from directories that keep their names.
    private func forgetContributions(
        of stale: Set<InodeID>, _ changes: inout [InodeID: Change], _ hasher: TreeHasher
    ) {
        for child in stale {
            forEachName(of: child) { entry in
                guard changes[entry.directory]?.names.contains(entry.name) != true else { return }
                changes[entry.directory, default: Change()].hash ^= contribution(entry.name, child, in: tree, hasher)
            }
        }
    }

    /// Adds the contributions of unchanged inodes under new names.
    private func addContributions(
        ofOthersThan stale: Set<InodeID>, _ changes: inout [InodeID: Change], _ hasher: TreeHasher
    ) {
        for (directory, change) in changes {
            for name in change.names {
                guard let child = tree.nodes[directory]?.entries[name], !stale.contains(child) else { continue }
                changes[directory]?.hash ^= contribution(name, child, in: tree, hasher)
            }
        }
    }

    /// Updates the hashes of the stale inodes, children before their directories.
    private mutating func resolve(
        _ stale: Set<InodeID>, _ changes: inout [InodeID: Change], _ hasher: TreeHasher
    ) {
        var unsettledChildren: [InodeID: Int] = [:]
        for child in stale { forEachName(of: child) { unsettledChildren[$0.directory, default: 0] += 1 } }
        var ready = stale.filter { unsettledChildren[$0] == nil }.map(\.self)
        var settledCount = 0
        while let inode = ready.popLast() {
            settledCount += 1
            let change = changes[inode]?.hash ?? .zero
            whole[inode] = tree.nodes[inode] == nil ? nil : (whole[inode] ?? .zero) ^ change
            forEachName(of: inode) { entry in
                let added = contribution(entry.name, inode, in: tree, hasher)
                changes[entry.directory, default: Change()].hash ^= added
                unsettledChildren[entry.directory]! -= 1
                if unsettledChildren[entry.directory] == 0 { ready.append(entry.directory) }
            }
        }
        hasCycle = settledCount < stale.count
    }

    // MARK: - Names

    private mutating func insert(_ entry: DirectoryEntry, of child: InodeID) {
        if names[child] == nil { names[child] = entry } else { furtherNames[child, default: []].insert(entry) }
    }

    private mutating func remove(_ entry: DirectoryEntry, of child: InodeID) {
        if names[child] == entry {
            names[child] = furtherNames[child]?.popFirst()
        } else {
            furtherNames[child]?.remove(entry)
        }
        if furtherNames[child]?.isEmpty == true { furtherNames[child] = nil }
    }

    private func forEachName(of inode: InodeID, _ body: (DirectoryEntry) -> Void) {
        if let first = names[inode] { body(first) }
        if let further = furtherNames[inode] { for entry in further { body(entry) } }
    }

    /// The inodes and all directories above them.
    private func closure(of inodes: some Sequence<InodeID>) -> Set<InodeID> {
        var closure: Set<InodeID> = []
        var open = Array(inodes)
        while let inode = open.popLast() {
            guard closure.insert(inode).inserted else { continue }
            forEachName(of: inode) { open.append($0.directory) }
        }
        return closure
    }

    // MARK: - Walks

    /// The inodes that a walk over these effects can change.
    func base(_ effects: [PendingEffect], _ hasher: TreeHasher) -> WalkBase {
        guard !hasCycle else { return wholeBase() }
        var wanted: Set<InodeID> = [.root]
        for pending in effects {
            wanted.insert(pending.effect.inode)
            guard case .name(let entry, let inode) = pending.effect else { continue }
            if let inode { wanted.insert(inode) }
            if let child = tree[entry] { wanted.insert(child) }
        }
        var base = WalkBase()
        var hashes: [InodeID: StateHash] = [:]
        for inode in closure(of: wanted) { hashes[inode] = whole[inode] }
        for child in hashes.keys {
            forEachName(of: child) { entry in
                base.names.append((entry, child))
                hashes[entry.directory]! ^= contribution(entry.name, child, in: tree, hasher)
            }
        }
        base.nodes = hashes.sorted { $0.key == .root || $1.key != .root && $0.key < $1.key }.map { ($0.key, $0.value) }
        return base
    }

    /// All inodes and names.
    private func wholeBase() -> WalkBase {
        var base = WalkBase()
        for (inode, node) in tree.nodes {
            base.nodes.append((inode, own[inode]!))
            for (name, child) in node.entries where tree.nodes[child] != nil {
                base.names.append((DirectoryEntry(inode, name), child))
            }
        }
        base.nodes.sort { $0.inode == .root || $1.inode != .root && $0.inode < $1.inode }
        return base
    }
}
