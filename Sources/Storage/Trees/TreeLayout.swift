import Bytes
import Model

/// The names under which the inodes of a materialised tree exist.
struct TreeLayout {
    /// The first name of each reachable inode.
    private var names: [InodeID: DirectoryEntry] = [:]
    /// All names of the inodes that have several.
    private(set) var shared: [InodeID: Set<DirectoryEntry>] = [:]

    init(_ tree: Tree) throws(TreeError) {
        for (name, child) in tree.nodes[.root]?.entries ?? [:] {
            try insert(DirectoryEntry(.root, name), child, of: tree)
        }
    }

    /// The names of an inode; also of an inode that the tree does not hold. The root has none.
    func entries(of inode: InodeID) -> [DirectoryEntry] {
        if let several = shared[inode] { return Array(several) }
        return names[inode].map { [$0] } ?? []
    }

    /// Whether the path to this directory avoids all of `names`.
    func isReached(_ directory: InodeID, avoiding names: [InodeID: Set<ByteString>]) -> Bool {
        var inode = directory
        while inode != .root {
            guard let entry = self.names[inode], names[entry.directory]?.contains(entry.name) != true else {
                return false
            }
            inode = entry.directory
        }
        return true
    }

    /// The path of a directory from the root.
    func path(of directory: InodeID) -> [ByteString] {
        var path: [ByteString] = []
        var inode = directory
        while inode != .root, let entry = names[inode] {
            path.append(entry.name)
            inode = entry.directory
        }
        return path.reversed()
    }

    /// Adds a name and everything beneath it.
    mutating func insert(_ entry: DirectoryEntry, _ inode: InodeID, of tree: Tree) throws(TreeError) {
        var open = [(entry, inode)]
        while let (entry, inode) = open.popLast() {
            let node = tree.nodes[inode]
            let isDirectory = node?.kind == .directory
            if let first = names[inode] {
                guard !isDirectory, inode != .root else { throw .directoryTwice(path: entry.name) }
                shared[inode, default: [first]].insert(entry)
                continue
            }
            guard inode != .root else { throw .directoryTwice(path: entry.name) }
            names[inode] = entry
            guard isDirectory, let node else { continue }
            for (name, child) in node.entries { open.append((DirectoryEntry(inode, name), child)) }
        }
    }

    /// Removes a name and everything beneath it.
    ///
    /// - Parameter body: called with each removed directory.
    mutating func remove(_ entry: DirectoryEntry, _ inode: InodeID, of tree: Tree, _ body: (InodeID) -> Void) {
        var open = [(entry, inode)]
        while let (entry, inode) = open.popLast() {
            shared[inode]?.remove(entry)
            if let rest = shared[inode] {
                if names[inode] == entry { names[inode] = rest.first }
                if rest.count == 1 { shared[inode] = nil }
                continue
            }
            guard names[inode] == entry else { continue }
            names[inode] = nil
            guard let node = tree.nodes[inode], node.kind == .directory else { continue }
            body(inode)
            for (name, child) in node.entries { open.append((DirectoryEntry(inode, name), child)) }
        }
    }
}
