import Bytes
import Glibc
import Model

/// A materialised tree that can be turned into another one: only files that differ between the trees, or that were changed
/// since, are recreated. Used for crash states of large stores, which differ in a few files.
///
/// The result equals a fresh materialisation, except for timestamps and the order in which directories list their names.
/// Recreated files are new inodes: a process that still has the old file open cannot change the new one.
///
/// While the tree is changed, no process may work in the directory; and none may keep a directory or writable file in it
/// open from one tree to the next (see `DirectoryWatch`). A change through a hard link outside of the directory is missed.
///
/// After an error, remove the directory. Not thread safe.
package final class ReusedTree {
    /// The path of the directory.
    package private(set) var path: ByteString
    private let materialiser: TreeMaterialiser
    private var tree: Tree
    private var layout: TreeLayout
    private let watch: DirectoryWatch
    private let root: FileIdentity
    /// Changes to the files since they were created have ctimes that are not before this.
    private var madeAt: timespec

    /// Takes over the files at `path`: an unchanged materialisation of `tree`.
    package init(_ tree: Tree, at path: ByteString, _ materialiser: TreeMaterialiser) throws(TreeError) {
        self.path = path
        self.materialiser = materialiser
        self.tree = tree
        layout = try TreeLayout(tree)
        watch = try DirectoryWatch()
        let directory = try DirectoryHandle(opening: path)
        root = try FileIdentity(of: directory)
        madeAt = Self.now()
        try watch(.root, directory)
    }

    /// Turns the files into `next` and moves them to a new path on the same filesystem, so that the old path is not valid any
    /// more.
    package func become(_ next: Tree, at newPath: ByteString) throws(TreeError) {
        let moved = path.withCString { from in newPath.withCString { rename(from, $0) } }
        guard moved == 0 else { throw .system(call: "rename", path: path, errno: errno) }
        path = newPath
        guard try FileIdentity(of: DirectoryHandle(opening: path)) == root else {
            throw .system(call: "open", path: path, errno: ESTALE)
        }
        let changes = try changesSinceCreation()
        let dirty = dirtyParts(changes, next)
        let directories = dirty.names.keys.filter { layout.isReached($0, avoiding: dirty.names) }.sorted()
        for directory in directories {
            try remove(
                dirty.names[directory]!, from: directory, hasNewAttributes: changes.attributes.contains(directory))
        }
        tree = next
        var placed = TreeMaterialiser.Placed(isOurs: true)
        for directory in directories { try make(dirty.names[directory]!, in: directory, &placed) }
        try restoreAttributes(of: dirty.attributes.union(directories))
        madeAt = Self.now()
        try watch.forgetChanges()
    }

    // MARK: - What to recreate

    private func changesSinceCreation() throws(TreeError) -> DirectoryChanges {
        var changes = try watch.takeChanges()
        changes.finish()
        if changes.mayHaveLinked || !changes.made.allSatisfy(hasOneName) {
            try addChangedFiles(in: .root, DirectoryHandle(opening: path), &changes)
        }
        return changes
    }

    /// Whether it is a file with a single name. False if unknown, in a directory that was moved.
    private func hasOneName(_ entry: DirectoryEntry) -> Bool {
        do throws(TreeError) {
            let status = try open(entry.directory).status(of: entry.name)
            return status.st_nlink == 1 && status.st_mode & S_IFMT != S_IFDIR
        } catch {
            return false
        }
    }

    /// Adds files with a new ctime: they may have been changed through a hard link that was not watched.
    private func addChangedFiles(
        in inode: InodeID, _ directory: borrowing DirectoryHandle, _ changes: inout DirectoryChanges
    ) throws(TreeError) {
        for (name, child) in tree.nodes[inode]?.entries ?? [:] {
            guard let node = tree.nodes[child], changes.names[inode]?.contains(name) != true else { continue }
            if node.kind == .directory {
                try addChangedFiles(in: child, DirectoryHandle(name, in: directory), &changes)
            } else if try !directory.status(of: name).st_ctim.isBefore(madeAt) {
                changes.names[inode, default: []].insert(name)
            }
        }
    }

    private func dirtyParts(_ changes: DirectoryChanges, _ next: Tree) -> (
        names: [InodeID: Set<ByteString>], attributes: Set<InodeID>
    ) {
        var (names, attributes) = (changes.names, changes.attributes)
        func add(_ inode: InodeID) {
            for entry in layout.entries(of: inode) { names[entry.directory, default: []].insert(entry.name) }
        }
        for inode in next.inodesChanged(since: tree) {
            let (before, after) = (tree.nodes[inode], next.nodes[inode])
            guard let before, let after, watch.isWatching(inode), after.kind == .directory else {
                add(inode)
                continue
            }
            for name in Node.namesChanged(from: before, to: after) {
                names[inode, default: []].insert(name)
                // All names of a file with several are recreated together.
                if let child = after.entries[name], !watch.isWatching(child) { add(child) }
            }
            if before.attributes != after.attributes || before.extendedAttributes != after.extendedAttributes {
                attributes.insert(inode)
            }
        }
        for inode in layout.shared.keys { add(inode) }
        return (names, attributes)
    }

    // MARK: - Steps

    private func remove(_ names: Set<ByteString>, from inode: InodeID, hasNewAttributes: Bool) throws(TreeError) {
        let directory = try open(inode)
        // Such as a default ACL, which new files would inherit.
        if hasNewAttributes, let node = tree.nodes[inode], try !hasExtendedAttributes(of: node, directory) {
            throw .system(call: "fgetxattr (changed)", path: directory.path, errno: ESTALE)
        }
        guard fchmod(directory.descriptor, 0o700) == 0 else {
            throw .system(call: "fchmod", path: directory.path, errno: errno)
        }
        for name in names {
            try TreeRemoval.remove(name, in: directory)
            guard let child = tree.nodes[inode]?.entries[name] else { continue }
            layout.remove(DirectoryEntry(inode, name), child, of: tree) { watch.remove($0) }
        }
    }

    private func hasExtendedAttributes(of node: Node, _ directory: borrowing DirectoryHandle) throws(TreeError) -> Bool
    {
        var wanted = try FileAttributes(of: directory.descriptor, directory.path)
        wanted.extended = FileAttributes(of: node).extended
        return try wanted.match(directory.descriptor, directory.path)
    }

    private func make(
        _ names: Set<ByteString>, in inode: InodeID, _ placed: inout TreeMaterialiser.Placed
    ) throws(TreeError) {
        let directory = try open(inode)
        let pathBytes = layout.path(of: inode).reduce(-1) { $0 + $1.count + 1 }
        for name in names.sorted() {
            guard let child = tree.nodes[inode]?.entries[name] else { continue }
            try layout.insert(DirectoryEntry(inode, name), child, of: tree)
            try materialiser.make(name, child, in: directory, tree, &placed, pathBytes: max(0, pathBytes))
            guard tree.nodes[child]?.kind == .directory else { continue }
            try watch(child, DirectoryHandle(name, in: directory))
        }
    }

    private func restoreAttributes(of inodes: Set<InodeID>) throws(TreeError) {
        // The deepest first: the mode of a directory may deny access to what is below.
        let depths = inodes.filter(watch.isWatching).map { ($0, layout.path(of: $0).count) }
        for (inode, _) in depths.sorted(by: { ($1.1, $0.0) < ($0.1, $1.0) }) {
            guard let node = tree.nodes[inode] else { continue }
            let directory = try open(inode)
            try materialiser.applyAttributes(of: node, to: directory)
            guard try FileAttributes(of: node).match(directory.descriptor, directory.path) else {
                throw .system(call: "fsetxattr (not what it was)", path: directory.path, errno: ESTALE)
            }
        }
    }

    private func watch(_ inode: InodeID, _ directory: borrowing DirectoryHandle) throws(TreeError) {
        try watch.add(directory, as: inode)
        for (name, child) in tree.nodes[inode]?.entries ?? [:] where tree.nodes[child]?.kind == .directory {
            try watch(child, DirectoryHandle(name, in: directory))
        }
    }

    private func open(_ inode: InodeID) throws(TreeError) -> DirectoryHandle {
        var directory = try DirectoryHandle(opening: path)
        for name in layout.path(of: inode) { directory = try DirectoryHandle(name, in: directory) }
        return directory
    }

    /// The time of the clock that sets ctimes, rounded down.
    private static func now() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time
    }
}

/// Identifies a file on this machine.
private struct FileIdentity: Hashable {
    private var device: dev_t
    private var inode: ino_t

    init(of directory: borrowing DirectoryHandle) throws(TreeError) {
        var status = stat()
        guard fstat(directory.descriptor, &status) == 0 else {
            throw .system(call: "fstat", path: directory.path, errno: errno)
        }
        (device, inode) = (status.st_dev, status.st_ino)
    }
}

extension timespec {
    fileprivate func isBefore(_ other: timespec) -> Bool { (tv_sec, tv_nsec) < (other.tv_sec, other.tv_nsec) }
}
