import Bytes
import CPlatform
import Glibc
import Model
import Platform
import Synchronization

/// All inodes of the mounted tree with their names. It is the authority on the namespace, since all changes pass
/// through the mount. It assigns inode ids, which are never reused (backing inode numbers are), and provides paths and
/// descriptors.
///
/// Descriptors are cached up to a limit. An inode with a name can be reopened through its parents, so the tree may have
/// more files than a process may open. An inode without a name keeps its descriptor until the kernel forgets it.
///
/// Threading: one lock. Changes of names run inside `change`, which holds the lock across the backing call, so that
/// under the lock the table and the backing directory agree. Lock order: the recorder's turn, then this lock.
final class InodeTable: @unchecked Sendable {
    private let lock = Lock()
    private var nodes: [Inode?] = [nil]
    private let limit: Int
    private var cached: [Inode] = []
    private var hand = 0
    /// The orphan directory: it names inodes whose unlink a crash could undo. nil when nothing is recorded.
    private let orphans: SharedDescriptor?
    /// The orphans that were created since the mount.
    private var newOrphans: [Inode] = [] {
        didSet { hasNewOrphans.store(!newOrphans.isEmpty, ordering: .relaxed) }
    }
    private let hasNewOrphans = Atomic<Bool>(false)
    /// Whether some of them have not been checked by `pruneOrphans` yet.
    private let hasUncheckedOrphans = Atomic<Bool>(false)
    /// Inodes with lower ids existed before the mount.
    private var firstNewID: UInt64 = 0
    let root: Inode
    /// Whether the backing filesystem supports extended attributes.
    let keepsAttributes: Bool

    init(root descriptor: SharedDescriptor, number: UInt64, orphans: SharedDescriptor?, descriptorLimit: Int) {
        self.orphans = orphans
        self.limit = max(descriptorLimit, 16)
        root = Inode(id: .root, format: S_IFDIR, number: number)
        root.descriptor = descriptor
        keepsAttributes =
            faultline_getxattr_path(descriptor.rawValue, "security.capability", nil, 0) >= 0 || errno == ENODATA
        nodes.append(root)
    }

    // MARK: Reading

    /// The inode with the kernel's node id `id`. ESTALE when there is none.
    func node(_ id: UInt) throws(Errno) -> Inode {
        lock.lock()
        defer { lock.unlock() }
        guard id < nodes.count, let node = nodes[Int(id)] else { throw Errno(ESTALE) }
        return node
    }

    /// The inode's O_PATH descriptor.
    func descriptor(of node: Inode) throws(Errno) -> SharedDescriptor {
        lock.lock()
        defer { lock.unlock() }
        return try open(node)
    }

    /// Opens the inode for reading or writing.
    func openFile(_ node: Inode, flags: Int32) throws(Errno) -> SharedDescriptor {
        lock.lock()
        defer { lock.unlock() }
        let path = try open(node)
        return SharedDescriptor(adopting: try Errno.check(faultline_reopen(path.rawValue, flags)))
    }

    /// The entries of a directory, by name.
    func entries(of directory: Inode) -> [(name: ByteString, node: Inode)] {
        lock.lock()
        let entries = directory.children.map { (name: $0.key, node: $0.value) }
        lock.unlock()
        return entries.sorted { $0.name < $1.name }
    }

    func parent(of directory: Inode) -> Inode {
        lock.withLock { directory.names.first.flatMap { nodes[Int($0.directory.rawValue)] } ?? root }
    }

    /// The path of an entry, relative to the mount point, without a leading slash; nil when its directory was removed.
    func path(of entry: DirectoryEntry) -> ByteString? {
        lock.withLock {
            var parts = [entry.name]
            var directory = entry.directory
            while directory != .root {
                guard let above = nodes[Int(directory.rawValue)]?.names.first else { return nil }
                parts.append(above.name)
                directory = above.directory
            }
            return ByteString(parts.reversed().map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
        }
    }

    /// The path of an inode by one of its names, for rules: `.` for the root, empty when it has no name.
    func path(of node: Inode) -> ByteString {
        if node === root { return "." }
        guard let name = lock.withLock({ node.names.first }) else { return "" }
        return path(of: name) ?? ""
    }

    /// How many bytes are freed when this name is removed: the file's size if it is the last name.
    func bytesFreed(removing name: ByteString, in parent: Inode) -> Int64 {
        lock.withLock {
            guard let node = parent.children[name], node.isRegular, node.names.count == 1,
                let directory = try? open(parent)
            else { return 0 }
            var attributes = stat()
            let result = name.withCString { faultline_stat_at(directory.rawValue, $0, &attributes) }
            return result == 0 ? Int64(attributes.st_size) : 0
        }
    }

    // MARK: The kernel's references

    /// Looks up a name, adds one kernel reference to its inode, and reads its attributes.
    func lookUp(_ name: ByteString, in parent: Inode, _ attributes: inout stat) throws(Errno) -> Inode {
        lock.lock()
        defer { lock.unlock() }
        guard parent.isDirectory else { throw Errno(ENOTDIR) }
        let directory = try open(parent)
        guard let node = parent.children[name] else {
            // Without search permission on the directory the answer is EACCES, not ENOENT.
            try Errno.check(name.withCString { faultline_stat_at(directory.rawValue, $0, &attributes) })
            throw Errno(ENOENT)
        }
        try Errno.check(name.withCString { faultline_stat_at(directory.rawValue, $0, &attributes) })
        guard attributes.st_ino == node.number else { throw Errno(ESTALE) }
        adjust(&attributes, for: node)
        node.lookups += 1
        return node
    }

    /// Drops kernel references: the kernel forgot the inode or never received the reply.
    func forget(_ id: UInt, count: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard id != 1, id < nodes.count, let node = nodes[Int(id)] else { return }
        node.lookups -= min(count, node.lookups)
        release(node)
    }

    /// Corrects the link count: without the orphan directory's link and without the state directory.
    func adjust(_ attributes: inout stat, for node: Inode) {
        if node.isOrphaned || node === root { attributes.st_nlink -= 1 }
    }

    func attributes(of node: Inode, through descriptor: Int32, _ attributes: inout stat) throws(Errno) {
        try Errno.check(faultline_fstat(descriptor, &attributes))
        lock.withLock { adjust(&attributes, for: node) }
    }

    // MARK: Changing names

    /// Ends the initial scan: all inodes so far existed before the mount.
    func endBase() { lock.withLock { firstNewID = UInt64(nodes.count) } }

    /// Whether the inode was created since the mount. Needs no lock: `firstNewID` is fixed before the first request.
    func isNew(_ node: Inode) -> Bool { node.id.rawValue >= firstNewID }

    /// Inside `change`: the orphan directory if `node`, which is about to lose its last name, must be kept there; nil
    /// otherwise. The trace has all data of a file created since the mount, so a small one can be rebuilt from it.
    func orphanDirectory(for node: Inode) -> SharedDescriptor? {
        guard let orphans, !node.isDirectory, node.names.count == 1 else { return nil }
        if !isNew(node) { return orphans }
        return node.isRegular && node.furthestBytes > OrphanDirectory.smallBytes ? orphans : nil
    }

    /// Inside `change`: the inode now has a name in the orphan directory.
    func addOrphan(_ node: Inode) {
        node.isOrphaned = true
        guard isNew(node) else { return }
        newOrphans.append(node)
        hasUncheckedOrphans.store(true, ordering: .relaxed)
    }

    /// Removes up to eight orphans that no crash can bring back. Orphans older than the mount stay: a crash under a
    /// weaker profile than the mount's needs their data, and the trace does not have it.
    ///
    /// With `onlyUnchecked` it returns at once when no orphan was added since the last call: `canReach` makes the
    /// tracker process its batch, however short.
    ///
    /// Closes the files outside the lock, since freeing their space takes time in proportion to their size.
    func pruneOrphans(onlyUnchecked: Bool, _ canReach: (InodeID) -> Bool) {
        guard hasNewOrphans.load(ordering: .relaxed) else { return }
        if onlyUnchecked, !hasUncheckedOrphans.load(ordering: .relaxed) { return }
        var gone: [SharedDescriptor] = []
        lock.withLock {
            hasUncheckedOrphans.store(newOrphans.count > 8, ordering: .relaxed)
            for _ in 0..<min(newOrphans.count, 8) {
                let node = newOrphans.removeFirst()
                guard node.isOrphaned else { continue }
                if canReach(node.id) {
                    newOrphans.append(node)
                } else if let descriptor = try? open(node) {
                    gone.append(descriptor)
                    removeOrphan(node)
                    release(node)
                }
            }
        }
        withExtendedLifetime(gone) {}
    }

    /// Inside `change`: removes the inode's name from the orphan directory.
    func removeOrphan(_ node: Inode) {
        guard let orphans else { return }
        node.isOrphaned = false
        _ = OrphanDirectory.name(of: node.id).withCString { faultline_unlink_at(orphans.rawValue, $0, 0) }
    }

    /// Inside `change`: uses an open file's descriptor as the cached descriptor of a new inode.
    func adopt(_ descriptor: SharedDescriptor, of node: Inode) {
        node.descriptor = descriptor
        node.wasUsed = true
        cache(node)
    }

    /// Runs `body` under the lock. `body` changes the backing namespace, then updates the table with the functions
    /// below.
    func change<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }

    /// Inside `change`: the inode's O_PATH descriptor, opened if it is not cached.
    func open(_ node: Inode) throws(Errno) -> SharedDescriptor {
        node.wasUsed = true
        if let descriptor = node.descriptor { return descriptor }
        let number: Int32
        if let name = node.names.first {
            guard let parent = nodes[Int(name.directory.rawValue)] else { throw Errno(ESTALE) }
            let above = try open(parent)
            number = try Errno.check(name.name.withCString { faultline_open_path(above.rawValue, $0) })
        } else if node.isOrphaned, let orphans {
            number = try Errno.check(
                OrphanDirectory.name(of: node.id).withCString { faultline_open_path(orphans.rawValue, $0) })
        } else {
            throw Errno(ESTALE)
        }
        let descriptor = SharedDescriptor(adopting: number)
        node.descriptor = descriptor
        cache(node)
        return descriptor
    }

    /// Inside `change`: adds a new inode with its first name.
    func add(_ attributes: stat, at name: ByteString, in parent: Inode) -> Inode {
        let node = Inode(
            id: InodeID(UInt64(nodes.count)), format: attributes.st_mode & S_IFMT, number: UInt64(attributes.st_ino))
        nodes.append(node)
        link(node, at: name, in: parent)
        return node
    }

    /// Inside `change`: adds a name to an inode.
    func link(_ node: Inode, at name: ByteString, in parent: Inode) {
        node.names.append(DirectoryEntry(parent.id, name))
        parent.children[name] = node
    }

    /// Inside `change`: removes a name. Forgets the inode when the last name and the last kernel reference are gone.
    func unlink(_ name: ByteString, in parent: Inode) {
        guard let node = parent.children.removeValue(forKey: name) else { return }
        node.names.removeAll { $0 == DirectoryEntry(parent.id, name) }
        release(node)
    }

    /// Inside `change`: moves a name, or exchanges two.
    func rename(_ name: ByteString, in parent: Inode, to newName: ByteString, in newParent: Inode, exchange: Bool) {
        guard let node = parent.children[name] else { return }
        let target = newParent.children[newName]
        if target === node { return }
        parent.children[name] = exchange ? target : nil
        if let target {
            target.names.removeAll { $0 == DirectoryEntry(newParent.id, newName) }
            if exchange { target.names.append(DirectoryEntry(parent.id, name)) } else { release(target) }
        }
        node.names.removeAll { $0 == DirectoryEntry(parent.id, name) }
        link(node, at: newName, in: newParent)
    }

    /// Inside `change`: opens an inode that is about to lose its last name, so that it stays reachable.
    func pin(_ node: Inode) throws(Errno) {
        if node.names.count <= 1 && !node.isOrphaned { _ = try open(node) }
    }

    private func release(_ node: Inode) {
        guard node.names.isEmpty, node.lookups == 0, node !== root else { return }
        node.descriptor = nil
        if !node.isOrphaned { nodes[Int(node.id.rawValue)] = nil }
    }

    // MARK: The descriptor cache

    /// Caches the node's descriptor. Evicts by the second-chance (clock) algorithm.
    private func cache(_ node: Inode) {
        if cached.count < limit {
            cached.append(node)
            return
        }
        for _ in 0..<(2 * limit) {
            hand = (hand + 1) % limit
            let candidate = cached[hand]
            let isNeeded = candidate === root || (candidate.names.isEmpty && !candidate.isOrphaned)
            if candidate.descriptor == nil || candidate.descriptor != nil && !isNeeded && !candidate.wasUsed {
                candidate.descriptor = nil
                cached[hand] = node
                return
            }
            candidate.wasUsed = false
        }
        cached.append(node)
    }
}
