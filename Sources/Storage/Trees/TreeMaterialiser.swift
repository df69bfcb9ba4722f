import Bytes
import CPlatform
import Glibc
import Model

/// Writes a tree, such as a crash state, as files and directories. (A FaultFS power cut patches its backing directory
/// in place instead.)
///
/// Creates every entry by a single name relative to its directory's descriptor and never opens existing files, so a
/// hostile tree (a name with a slash, a file "below" a link out of the directory, too many levels) is an error. Holes
/// stay holes. Sets modes last, and owners only as root. Thread safe for different directories.
package struct TreeMaterialiser: Sendable {
    /// The longest path of a tree. A longer one could only be reached step by step.
    static let longestPathBytes = Int(PATH_MAX) - 1

    private let payloads: any PayloadStore
    private let images = FileImages()

    package init(payloads: any PayloadStore) { self.payloads = payloads }

    /// Writes `tree` into the empty directory at `path`.
    package func materialise(_ tree: Tree, into path: ByteString) throws(TreeError) {
        let root = try DirectoryHandle(opening: path)
        guard try root.names().isEmpty else { throw .directoryNotEmpty(path) }
        var status = stat()
        guard fstat(root.descriptor, &status) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        var placed = Placed(isOurs: status.st_mode & S_ISGID == 0)
        try fill(root, .root, tree, &placed, pathBytes: 0)
        if let node = tree.nodes[.root] { try applyAttributes(of: node, to: root) }
    }

    /// The inodes created so far. A file may have several names; a directory may not.
    struct Placed {
        /// Whether new files get this process's user and group.
        var isOurs: Bool
        var files: [InodeID: ByteString] = [:]
        var directories: Set<InodeID> = [.root]
    }

    private func fill(
        _ directory: borrowing DirectoryHandle, _ inode: InodeID, _ tree: Tree, _ placed: inout Placed,
        pathBytes: Int
    ) throws(TreeError) {
        for (name, child) in (tree.nodes[inode]?.entries ?? [:]).sorted(by: { $0.key < $1.key }) {
            try make(name, child, in: directory, tree, &placed, pathBytes: pathBytes)
        }
    }

    /// Creates one name, which must not exist, and everything beneath it.
    ///
    /// - Parameter pathBytes: the length of the directory's path from the root of the tree.
    func make(
        _ name: ByteString, _ child: InodeID, in directory: borrowing DirectoryHandle, _ tree: Tree,
        _ placed: inout Placed, pathBytes: Int
    ) throws(TreeError) {
        guard let node = tree.nodes[child] else { return }
        let pathBytes = pathBytes + (pathBytes == 0 ? 0 : 1) + name.count
        guard pathBytes <= Self.longestPathBytes else { throw .pathTooLong(name: name, countBytes: pathBytes) }
        if let first = placed.files[child] {
            try directory.call("linkat", name) { descriptor, text in
                first.withCString { linkat(AT_FDCWD, $0, descriptor, text, 0) }
            }
        } else if node.kind == .directory {
            guard placed.directories.insert(child).inserted else {
                throw .directoryTwice(path: directory.child(name))
            }
            try directory.call("mkdirat", name) { mkdirat($0, $1, 0o700) }
            let inner = try DirectoryHandle(name, in: directory)
            try fill(inner, child, tree, &placed, pathBytes: pathBytes)
            try applyAttributes(of: node, to: inner)
        } else {
            placed.files[child] = directory.child(name)
            try make(node, child, name, directory, isOurs: placed.isOurs)
        }
    }

    private func make(
        _ node: Node, _ inode: InodeID, _ name: ByteString, _ directory: borrowing DirectoryHandle, isOurs: Bool
    ) throws(TreeError) {
        switch node.kind {
        case .regular: try makeFile(node, inode, name, directory, isOurs: isOurs)
        case .symbolicLink(let target):
            try directory.call("symlinkat", name) { descriptor, text in
                target.withCString { symlinkat($0, descriptor, text) }
            }
        case .fifo: try directory.call("mkfifoat", name) { mkfifoat($0, $1, mode_t(node.attributes.mode & 0o777)) }
        case .socket:
            try directory.call("mknodat", name) { mknodat($0, $1, S_IFSOCK | mode_t(node.attributes.mode & 0o777), 0) }
        case .directory: break
        }
    }

    private func makeFile(
        _ node: Node, _ inode: InodeID, _ name: ByteString, _ directory: borrowing DirectoryHandle, isOurs: Bool
    ) throws(TreeError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = try directory.call("openat", name) { openat($0, $1, flags, 0o600) }
        defer { close(file) }
        let path = directory.child(name)
        var writtenEnd: UInt64 = 0
        if FileImage.isWorthIt(node) {
            let image: FileImage
            do { image = try images.image(inode, node, payloads: payloads) } catch {
                throw .data(path: path, reason: "\(error)")
            }
            try put(image.bytes, at: 0, file, path)
            writtenEnd = UInt64(image.bytes.count)
        } else {
            for extent in node.content.slice(0..<node.sizeBytes) {
                try write(extent, to: file, path)
                writtenEnd = extent.endBytes
            }
        }
        guard writtenEnd == node.sizeBytes || ftruncate(file, off_t(clamping: node.sizeBytes)) == 0 else {
            throw .system(call: "ftruncate", path: path, errno: errno)
        }
        try FileAttributes(of: node).apply(to: file, path, isOurs: isOurs)
    }

    private func write(_ extent: ExtentMap.Extent, to file: Int32, _ path: ByteString) throws(TreeError) {
        let chunkBytes: UInt64 = 1 << 20
        var done: UInt64 = 0
        while done < extent.data.countBytes {
            let count = min(chunkBytes, extent.data.countBytes - done)
            let bytes: [UInt8]
            do { bytes = try payloads.bytes(of: extent.data.slice(done, count: count)) } catch {
                throw .data(path: path, reason: "\(error)")
            }
            try bytes.withUnsafeBytes { bytes in
                Result { () throws(TreeError) in try put(bytes, at: extent.offsetBytes + done, file, path) }
            }.get()
            done += count
        }
    }

    private func put(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ file: Int32, _ path: ByteString
    ) throws(TreeError) {
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                file, bytes.baseAddress! + written, bytes.count - written, off_t(offset) + off_t(written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system(call: "pwrite", path: path, errno: count < 0 ? errno : EIO) }
            written += count
        }
    }

    func applyAttributes(of node: Node, to directory: borrowing DirectoryHandle) throws(TreeError) {
        try FileAttributes(of: node).apply(to: directory.descriptor, directory.path)
    }
}

extension FileAttributes {
    /// The attributes of a node.
    init(of node: Node) {
        self.init(
            isDirectory: node.kind == .directory, mode: mode_t(node.attributes.mode & 0o7777),
            owner: node.attributes.owner, group: node.attributes.group,
            extended: node.extendedAttributes.mapValues(\.bytes))
    }
}
