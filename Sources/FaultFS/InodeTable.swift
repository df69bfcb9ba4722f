import Bytes
import CPlatform
import Glibc
import Model
import Synchronization

/// Every inode of the mounted tree, with its names: the authority on the namespace, since all changes pass through
/// the mount. It gives inodes their ids, which are never reused (backing inode numbers are), paths to rules, and
/// descriptors to calls.
///
/// Descriptors are a cache of bounded size: any inode with a name can be opened again through its parents, so a
/// tree may be larger than the limit of open files. An inode that lost its last name keeps its descriptor until the
/// kernel forgets it.
///
/// Threading: one lock. Whoever changes a name below does so inside `change`, which holds the lock across the backing
/// call, so that under the lock the table and the backing directory always agree. Lock order: the recorder's turn
/// first, then this one.
final class InodeTable: @unchecked Sendable {
    private let lock = Lock()
    private var nodes: [Inode?] = [nil]
    private let limit: Int
    private var cached: [Inode] = []
    private var hand = 0
    /// Holds the names of inodes whose unlink may yet be lost; nil when nothing is recorded.
    private let limbo: Descriptor?
    /// Of the limbo, those that were made since the mount.
    private var leavers: [Inode] = [] {
        didSet { hasLeavers.store(!leavers.isEmpty, ordering: .relaxed) }
    }
    private let hasLeavers = Atomic<Bool>(false)
    /// Some of them were not asked about yet.
    private let hasNewLeavers = Atomic<Bool>(false)
    /// Inodes with lower ids were there when it was mounted.
    private var firstNewID: UInt64 = 0
    let root: Inode
    /// Whether the filesystem below keeps extended attributes.
    let keepsAttributes: Bool

    init(root descriptor: Descriptor, number: UInt64, limbo: Descriptor?, descriptorLimit: Int) {
        self.limbo = limbo
        self.limit = max(descriptorLimit, 16)
        root = Inode(id: .root, format: S_IFDIR, number: number)
        root.descriptor = descriptor
        keepsAttributes =
            faultline_getxattr_path(descriptor.number, "security.capability", nil, 0) >= 0 || errno == ENODATA
        nodes.append(root)
    }

    // MARK: Reading

    /// The inode that the kernel calls `id`. ESTALE when there is none (any more).
    func node(_ id: UInt) throws(Errno) -> Inode {
        lock.lock()
        defer { lock.unlock() }
        guard id < nodes.count, let node = nodes[Int(id)] else { throw Errno(ESTALE) }
        return node
    }

    /// A descriptor of the inode itself (O_PATH).
    func descriptor(of node: Inode) throws(Errno) -> Descriptor {
        lock.lock()
        defer { lock.unlock() }
        return try open(node)
    }

    /// Opens the inode for reading or writing.
    func openFile(_ node: Inode, flags: Int32) throws(Errno) -> Descriptor {
        lock.lock()
        defer { lock.unlock() }
        let path = try open(node)
        return Descriptor(try Errno.check(faultline_reopen(path.number, flags)))
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

    /// The path of an entry, relative to the mount point and without a leading slash; nil for one that has none.
    func path(of entry: Entry) -> ByteString? {
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

    /// The path of an inode by one of its names, as rules want it: `.` for the root, empty for one without a name.
    func path(of node: Inode) -> ByteString {
        if node === root { return "." }
        guard let name = lock.withLock({ node.names.first }) else { return "" }
        return path(of: name) ?? ""
    }

    /// How many bytes of data go when this name goes: the size of a file that has no other.
    func bytesThatGo(with name: ByteString, in parent: Inode) -> Int64 {
        lock.withLock {
            guard let node = parent.children[name], node.isRegular, node.names.count == 1,
                let directory = try? open(parent)
            else { return 0 }
            var attributes = stat()
            let result = name.withCString { faultline_stat_at(directory.number, $0, &attributes) }
            return result == 0 ? Int64(attributes.st_size) : 0
        }
    }

    // MARK: The kernel's references

    /// Finds a name, counts a reference of the kernel to what it names, and reads its attributes.
    func lookUp(_ name: ByteString, in parent: Inode, _ attributes: inout stat) throws(Errno) -> Inode {
        lock.lock()
        defer { lock.unlock() }
        guard parent.isDirectory else { throw Errno(ENOTDIR) }
        let directory = try open(parent)
        guard let node = parent.children[name] else {
            // Without the right to search the directory nobody learns that it is not there.
            try Errno.check(name.withCString { faultline_stat_at(directory.number, $0, &attributes) })
            throw Errno(ENOENT)
        }
        try Errno.check(name.withCString { faultline_stat_at(directory.number, $0, &attributes) })
        guard attributes.st_ino == node.number else { throw Errno(ESTALE) }
        adjust(&attributes, for: node)
        node.lookups += 1
        return node
    }

    /// What the kernel forgets, or never learned of.
    func forget(_ id: UInt, count: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        guard id != 1, id < nodes.count, let node = nodes[Int(id)] else { return }
        node.lookups -= min(count, node.lookups)
        release(node)
    }

    /// The attributes as callers see them: neither the limbo's link nor the state directory count.
    func adjust(_ attributes: inout stat, for node: Inode) {
        if node.isInLimbo || node === root { attributes.st_nlink -= 1 }
    }

    func attributes(of node: Inode, through descriptor: Int32, _ attributes: inout stat) throws(Errno) {
        try Errno.check(faultline_fstat(descriptor, &attributes))
        lock.withLock { adjust(&attributes, for: node) }
    }

    // MARK: Changing names

    /// Says that what is in the table by now is what was there when it was mounted.
    func endBase() { lock.withLock { firstNewID = UInt64(nodes.count) } }

    /// Whether the inode was made since it was mounted. Needs no lock: the line is drawn before the first request.
    func isNew(_ node: Inode) -> Bool { node.id.rawValue >= firstNewID }

    /// Inside `change`: the limbo for an inode that is about to lose its last name, where it must be kept there. All that
    /// a file made since the mount held is in the trace: one that is small is made again from there, if its unlink is lost.
    func limbo(for node: Inode) -> Descriptor? {
        guard let limbo, !node.isDirectory, node.names.count == 1 else { return nil }
        if !isNew(node) { return limbo }
        return node.isRegular && node.furthestBytes > Limbo.smallBytes ? limbo : nil
    }

    /// Inside `change`: the inode has a name in the limbo now.
    func enterLimbo(_ node: Inode) {
        node.isInLimbo = true
        guard isNew(node) else { return }
        leavers.append(node)
        hasNewLeavers.store(true, ordering: .relaxed)
    }

    /// Takes files out of the limbo that no crash can bring back, a few at a time. Those that were there when it was
    /// mounted stay: a crash by a weaker profile than the mount's finds their data nowhere else.
    /// With `onlyNew` nothing is asked when nobody came since the last time: to ask makes the account of losses take what
    /// waits, few as it may be.
    ///
    /// Their room is given back outside the lock: that takes as long as they are large.
    func pruneLimbo(onlyNew: Bool, _ canReach: (InodeID) -> Bool) {
        guard hasLeavers.load(ordering: .relaxed) else { return }
        if onlyNew, !hasNewLeavers.load(ordering: .relaxed) { return }
        var gone: [Descriptor] = []
        lock.withLock {
            hasNewLeavers.store(leavers.count > 8, ordering: .relaxed)
            for _ in 0..<min(leavers.count, 8) {
                let node = leavers.removeFirst()
                guard node.isInLimbo else { continue }
                if canReach(node.id) {
                    leavers.append(node)
                } else if let descriptor = try? open(node) {
                    gone.append(descriptor)
                    leaveLimbo(node)
                    release(node)
                }
            }
        }
        withExtendedLifetime(gone) {}
    }

    /// Inside `change`: takes an inode out of the limbo again, because it keeps its name.
    func leaveLimbo(_ node: Inode) {
        guard let limbo else { return }
        node.isInLimbo = false
        _ = Limbo.name(of: node.id).withCString { faultline_unlink_at(limbo.number, $0, 0) }
    }

    /// Inside `change`: an open file stands in for the O_PATH descriptor of a new inode.
    func adopt(_ descriptor: Descriptor, of node: Inode) {
        node.descriptor = descriptor
        node.wasUsed = true
        cache(node)
    }

    /// Runs `body`, which changes the namespace below and then tells the table through the functions that follow.
    func change<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }

    /// Inside `change`: the O_PATH descriptor of an inode, opened if need be.
    func open(_ node: Inode) throws(Errno) -> Descriptor {
        node.wasUsed = true
        if let descriptor = node.descriptor { return descriptor }
        let number: Int32
        if let name = node.names.first {
            guard let parent = nodes[Int(name.directory.rawValue)] else { throw Errno(ESTALE) }
            let above = try open(parent)
            number = try Errno.check(name.name.withCString { faultline_open_path(above.number, $0) })
        } else if node.isInLimbo, let limbo {
            number = try Errno.check(Limbo.name(of: node.id).withCString { faultline_open_path(limbo.number, $0) })
        } else {
            throw Errno(ESTALE)
        }
        let descriptor = Descriptor(number)
        node.descriptor = descriptor
        cache(node)
        return descriptor
    }

    /// Inside `change`: a new inode under a new name.
    func add(_ attributes: stat, at name: ByteString, in parent: Inode) -> Inode {
        let node = Inode(
            id: InodeID(UInt64(nodes.count)), format: attributes.st_mode & S_IFMT, number: UInt64(attributes.st_ino))
        nodes.append(node)
        link(node, at: name, in: parent)
        return node
    }

    /// Inside `change`.
    func link(_ node: Inode, at name: ByteString, in parent: Inode) {
        node.names.append(Entry(parent.id, name))
        parent.children[name] = node
    }

    /// Inside `change`: forgets a name, and the inode with its last name and the kernel's last reference.
    func unlink(_ name: ByteString, in parent: Inode) {
        guard let node = parent.children.removeValue(forKey: name) else { return }
        node.names.removeAll { $0 == Entry(parent.id, name) }
        release(node)
    }

    /// Inside `change`.
    func rename(_ name: ByteString, in parent: Inode, to newName: ByteString, in newParent: Inode, exchange: Bool) {
        guard let node = parent.children[name] else { return }
        let target = newParent.children[newName]
        if target === node { return }
        parent.children[name] = exchange ? target : nil
        if let target {
            target.names.removeAll { $0 == Entry(newParent.id, newName) }
            if exchange { target.names.append(Entry(parent.id, name)) } else { release(target) }
        }
        node.names.removeAll { $0 == Entry(parent.id, name) }
        link(node, at: newName, in: newParent)
    }

    /// Inside `change`: sees to it that an inode that is about to lose its last name stays reachable.
    func pin(_ node: Inode) throws(Errno) {
        if node.names.count <= 1 && !node.isInLimbo { _ = try open(node) }
    }

    private func release(_ node: Inode) {
        guard node.names.isEmpty, node.lookups == 0, node !== root else { return }
        node.descriptor = nil
        if !node.isInLimbo { nodes[Int(node.id.rawValue)] = nil }
    }

    // MARK: The cache of descriptors

    /// Second chance: a descriptor that was not used since the hand last passed goes when room is needed.
    private func cache(_ node: Inode) {
        if cached.count < limit {
            cached.append(node)
            return
        }
        for _ in 0..<(2 * limit) {
            hand = (hand + 1) % limit
            let candidate = cached[hand]
            let isNeeded = candidate === root || (candidate.names.isEmpty && !candidate.isInLimbo)
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
