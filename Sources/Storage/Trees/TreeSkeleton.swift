import Bytes
import Glibc
import Model

extension Tree {
    /// The tree of the directory at `path` with names, kinds and link targets, without contents. Does not follow links.
    /// Unreadable directories are empty.
    package init(skeletonOf path: ByteString) throws(TreeError) {
        self.init()
        var reader = SkeletonReader(tree: self)
        try reader.read(DirectoryHandle(opening: path), .root, depth: 0)
        self = reader.tree
    }
}

private struct SkeletonReader {
    var tree: Tree

    mutating func read(_ directory: borrowing DirectoryHandle, _ inode: InodeID, depth: Int) throws(TreeError) {
        // Deeper than any path, and a bound for the stack.
        guard depth < 2048 else { throw .system(call: "openat", path: directory.path, errno: ENAMETOOLONG) }
        for name in try directory.names() {
            guard let kind = try kind(of: name, in: directory) else { continue }
            let child = InodeID(UInt64(tree.nodes.count) + 1)
            tree.nodes[child] = Node(kind: kind, attributes: Attributes(mode: 0))
            tree.nodes[inode]?.entries[name] = child
            if kind == .directory { try enter(name, in: directory, child, depth: depth + 1) }
        }
    }

    private mutating func enter(
        _ name: ByteString, in directory: borrowing DirectoryHandle, _ inode: InodeID, depth: Int
    ) throws(TreeError) {
        do throws(TreeError) {
            try read(DirectoryHandle(name, in: directory), inode, depth: depth)
        } catch {
            // The programs that we start cannot read it either. Example: lost+found.
            guard case .system(_, _, EACCES) = error else { throw error }
        }
    }

    /// nil for a device: trees have none.
    private func kind(of name: ByteString, in directory: borrowing DirectoryHandle) throws(TreeError) -> NodeKind? {
        let status = try directory.status(of: name)
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular
        case S_IFDIR: return .directory
        case S_IFLNK: return .symbolicLink(target: try directory.linkTarget(name))
        case S_IFIFO: return .fifo
        case S_IFSOCK: return .socket
        default: return nil
        }
    }
}
