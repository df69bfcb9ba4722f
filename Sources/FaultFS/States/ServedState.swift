import Bytes
import Glibc
import Model
import Platform
import Storage

/// A crash state in memory, which a recovery reads and changes through a mount. It notes what is read of the state before
/// it is changed.
///
/// What follows from a name, such as that it can be created, is noted by the lookup of the name, which comes first. Reading
/// a file, or opening it, notes its size, too.
///
/// Deliberately left out: times are those of the recovery, a file of the state has one link however many names it has, and
/// rights are those of its owner. A sample of states is recovered in a real directory all the same.
///
/// Thread safe: each method takes the lock of the state.
final class ServedState: @unchecked Sendable {
    let recorder: ReadRecorder
    private let lock = Lock()
    private let tree: Tree
    private let content: @Sendable (InodeID, Node, ByteString) throws -> MemoryFile
    private let register: @Sendable (_ make: (UInt64) -> StateNode) -> StateNode
    /// The nodes of the state's inodes: a file may have several names.
    private var nodes: [InodeID: StateNode] = [:]
    private let ownUser = geteuid()

    /// - Parameters:
    ///   - content: makes a file with the content of a node; its last parameter is the path.
    ///   - register: gives a node its id.
    init(
        _ tree: Tree, _ recorder: ReadRecorder,
        content: @escaping @Sendable (InodeID, Node, ByteString) throws -> MemoryFile,
        register: @escaping @Sendable (_ make: (UInt64) -> StateNode) -> StateNode
    ) {
        self.tree = tree
        self.recorder = recorder
        self.content = content
        self.register = register
    }

    /// The directory of the state.
    func root() throws(Errno) -> StateNode { try lock.withLock { () throws(Errno) in try node(.root, at: "") } }

    /// Frees the nodes, which refer to the state.
    func close() {
        lock.withLock {
            for node in nodes.values { node.entries = [:] }
            nodes = [:]
        }
    }

    private func node(_ inode: InodeID, at path: ByteString) throws(Errno) -> StateNode {
        if let known = nodes[inode] { return known }
        guard let original = tree.nodes[inode] else { throw Errno(ENOENT) }
        let node = make(original.kind, path, original.attributes)
        node.extendedAttributes = original.extendedAttributes
        node.entries = original.entries.filter { tree.nodes[$0.value] != nil }.mapValues { .unseen($0) }
        nodes[inode] = node
        return node
    }

    private func make(_ kind: NodeKind, _ path: ByteString?, _ attributes: Attributes) -> StateNode {
        register { StateNode(id: $0, self, kind, path: path, attributes, modified: Self.now) }
    }

    private static var now: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    /// The file of a node, with the content of the state.
    private func file(_ node: StateNode) throws(Errno) -> MemoryFile {
        guard node.kind == .regular else { throw Errno(node.isDirectory ? EISDIR : EINVAL) }
        if let file = node.file { return file }
        guard let path = node.path, let inode = nodes.first(where: { $0.value === node })?.key,
            let original = tree.nodes[inode]
        else { throw Errno(EIO) }
        let file: MemoryFile
        do { file = try content(inode, original, path) } catch { throw Errno(ENOMEM) }
        node.file = file
        return file
    }

    private func note(_ read: (ByteString) -> Read, _ path: ByteString?) {
        if let path { recorder.note(read(path)) }
    }

    // MARK: - Names

    /// The node at a name; nil if there is none.
    func lookUp(_ name: ByteString, in directory: StateNode) throws(Errno) -> StateNode? {
        try lock.withLock { () throws(Errno) in try child(name, of: directory) }
    }

    private func child(_ name: ByteString, of directory: StateNode) throws(Errno) -> StateNode? {
        guard directory.isDirectory else { throw Errno(ENOTDIR) }
        let path = directory.path(of: name)
        note(Read.name, path)
        switch directory.entries[name] {
        case nil: return nil
        case .seen(let node): return node
        case .unseen(let inode):
            let node = try node(inode, at: path ?? name)
            directory.entries[name] = .seen(node)
            return node
        }
    }

    /// The names in a directory with their types and ids, sorted.
    func list(_ directory: StateNode) throws(Errno) -> [(name: ByteString, node: StateNode)] {
        try lock.withLock { () throws(Errno) in
            guard directory.isDirectory else { throw Errno(ENOTDIR) }
            note(Read.listing, directory.path)
            var found: [(name: ByteString, node: StateNode)] = []
            for name in directory.entries.keys.sorted() {
                switch directory.entries[name] {
                case nil: break
                case .seen(let node): found.append((name, node))
                case .unseen(let inode): found.append((name, try node(inode, at: directory.path(of: name) ?? name)))
                }
            }
            return found
        }
    }

    /// Makes a file of any kind, with a name that does not exist.
    func make(
        _ kind: NodeKind, _ name: ByteString, in directory: StateNode, _ attributes: Attributes
    ) throws(Errno) -> StateNode {
        try lock.withLock { () throws(Errno) in
            guard name.count <= 255 else { throw Errno(ENAMETOOLONG) }
            guard try child(name, of: directory) == nil else { throw Errno(EEXIST) }
            let node = make(kind, nil, attributes)
            if kind == .regular { node.file = MemoryFile(name: name) }
            insert(node, name, directory)
            return node
        }
    }

    private func insert(_ node: StateNode, _ name: ByteString, _ directory: StateNode) {
        directory.entries[name] = .seen(node)
        directory.modified = Self.now
    }

    func link(_ node: StateNode, to name: ByteString, in directory: StateNode) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard name.count <= 255 else { throw Errno(ENAMETOOLONG) }
            guard try child(name, of: directory) == nil else { throw Errno(EEXIST) }
            insert(node, name, directory)
            node.linkCount += 1
        }
    }

    func unlink(_ name: ByteString, in directory: StateNode, isDirectory: Bool) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard let node = try child(name, of: directory) else { throw Errno(ENOENT) }
            guard node.isDirectory == isDirectory else { throw Errno(isDirectory ? ENOTDIR : EISDIR) }
            try requireEmpty(node)
            directory.entries[name] = nil
            directory.modified = Self.now
            node.linkCount -= 1
        }
    }

    private func requireEmpty(_ node: StateNode) throws(Errno) {
        guard node.isDirectory else { return }
        note(Read.listing, node.path)
        guard node.entries.isEmpty else { throw Errno(ENOTEMPTY) }
    }

    func rename(
        _ name: ByteString, in directory: StateNode, to newName: ByteString, in newDirectory: StateNode,
        _ mode: RenameMode
    ) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard newName.count <= 255 else { throw Errno(ENAMETOOLONG) }
            guard let node = try child(name, of: directory) else { throw Errno(ENOENT) }
            let target = try child(newName, of: newDirectory)
            if mode == .exchange {
                guard let target else { throw Errno(ENOENT) }
                insert(target, name, directory)
                return insert(node, newName, newDirectory)
            }
            if let target {
                guard mode != .noReplace else { throw Errno(EEXIST) }
                guard target !== node else { return }
                guard target.isDirectory == node.isDirectory else { throw Errno(node.isDirectory ? ENOTDIR : EISDIR) }
                try requireEmpty(target)
                target.linkCount -= 1
            }
            directory.entries[name] = nil
            directory.modified = Self.now
            insert(node, newName, newDirectory)
        }
    }

    func target(_ node: StateNode) throws(Errno) -> ByteString {
        guard case .symbolicLink(let target) = node.kind else { throw Errno(EINVAL) }
        return target
    }

    // MARK: - Data

    /// Opens a file. A mapping depends on the size without asking for it, and so does an append.
    func open(_ node: StateNode, flags: Int32) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            let file = try file(node)
            _ = file.length()
            guard ownUser != 0 else { return }
            note(Read.attributes, node.path)
            let access = flags & O_ACCMODE
            let isAllowed =
                (access == O_WRONLY || node.attributes.mode & 0o400 != 0)
                && (access == O_RDONLY || node.attributes.mode & 0o200 != 0)
            guard isAllowed else { throw Errno(EACCES) }
        }
    }

    func read(_ node: StateNode, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        try lock.withLock { () throws(Errno) in try file(node).read(into: buffer, at: offset) }
    }

    func write(_ node: StateNode, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
        try change(node) { file throws(StorageError) in try file.write(bytes, at: offset) }
    }

    private func change(_ node: StateNode, _ body: (MemoryFile) throws(StorageError) -> Void) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            let file = try file(node)
            do throws(StorageError) { try body(file) } catch { throw Errno(error.errno) }
            node.modified = Self.now
        }
    }

    func allocate(_ node: StateNode, _ range: Range<UInt64>, _ allocation: Allocation) throws(Errno) {
        try change(node) { file throws(StorageError) in
            let zeroesBeyond = allocation == .extend || allocation == .zeroRange
            if zeroesBeyond {
                try file.preallocate(at: range.lowerBound, countBytes: UInt64(range.count))
            }
            guard allocation != .extend, allocation != .keepSize else { return }
            let common = range.clamped(to: 0..<file.length())
            let zeros = [UInt8](repeating: 0, count: min(common.count, 1 << 16))
            var position = common.lowerBound
            while position < common.upperBound {
                let count = min(UInt64(zeros.count), common.upperBound - position)
                try zeros.withUnsafeBytes { zeros in
                    Result { () throws(StorageError) in
                        try file.write(UnsafeRawBufferPointer(rebasing: zeros[..<Int(count)]), at: position)
                    }
                }.get()
                position += count
            }
        }
    }

    // MARK: - Attributes

    /// - Parameter isAsked: whether someone asked for the attributes; otherwise they come with a lookup, and nobody sees them.
    func attributes(_ node: StateNode, isAsked: Bool) throws(Errno) -> stat {
        try lock.withLock { () throws(Errno) in try self.status(node, isAsked: isAsked) }
    }

    private func status(_ node: StateNode, isAsked: Bool) throws(Errno) -> stat {
        if isAsked { note(Read.attributes, node.path) }
        var status = stat()
        status.st_ino = ino_t(node.id)
        status.st_mode = node.format | mode_t(node.attributes.mode & 0o7777)
        status.st_nlink = nlink_t(max(node.linkCount, 0))
        status.st_uid = ownUser == 0 ? node.attributes.owner : ownUser
        status.st_gid = ownUser == 0 ? node.attributes.group : getegid()
        (status.st_mtim, status.st_ctim, status.st_atim) = (node.modified, node.modified, node.modified)
        status.st_blksize = 4096
        switch node.kind {
        case .regular: status.st_size = off_t(isAsked ? try file(node).length() : try file(node).unnotedLength)
        case .symbolicLink(let target): status.st_size = off_t(target.count)
        case .directory: status.st_size = 4096
        case .fifo, .socket: break
        }
        status.st_blocks = blkcnt_t((status.st_size + 511) / 512)
        return status
    }

    func setAttributes(_ node: StateNode, _ changes: AttributeChanges) throws(Errno) -> stat {
        if let size = changes.sizeBytes {
            try change(node) { file throws(StorageError) in try file.truncate(to: UInt64(size)) }
        }
        return try lock.withLock { () throws(Errno) in
            if let mode = changes.mode { node.attributes.mode = UInt32(mode & 0o7777) }
            if let owner = changes.owner { node.attributes.owner = owner }
            if let group = changes.group { node.attributes.group = group }
            if let modified = changes.times?.modified {
                switch modified.tv_nsec {
                case 0x3fff_fffe: break
                case 0x3fff_ffff: node.modified = Self.now
                default: node.modified = modified
                }
            }
            return try status(node, isAsked: true)
        }
    }

    func extendedAttribute(_ node: StateNode, _ name: ByteString) throws(Errno) -> ByteString {
        try lock.withLock { () throws(Errno) in
            note(Read.extendedAttributes, node.path)
            guard let value = node.extendedAttributes[name] else { throw Errno(ENODATA) }
            return value
        }
    }

    /// Their names, each with a NUL behind it.
    func extendedAttributeNames(_ node: StateNode) -> [UInt8] {
        lock.withLock {
            note(Read.extendedAttributes, node.path)
            return node.extendedAttributes.keys.sorted().flatMap { $0.bytes + [0] }
        }
    }

    /// XATTR_CREATE and XATTR_REPLACE of setxattr(2).
    private static let (creates, replaces) = (Int32(1), Int32(2))

    /// - Parameter value: nil removes the attribute.
    func setExtendedAttribute(
        _ node: StateNode, _ name: ByteString, _ value: ByteString?, flags: Int32
    ) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            note(Read.extendedAttributes, node.path)
            let exists = node.extendedAttributes[name] != nil
            if value == nil && !exists || flags & Self.replaces != 0 && !exists {
                throw Errno(ENODATA)
            }
            if flags & Self.creates != 0 && exists { throw Errno(EEXIST) }
            node.extendedAttributes[name] = value
        }
    }
}
