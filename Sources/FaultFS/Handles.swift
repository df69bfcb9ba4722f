import Bytes
import CPlatform
import Glibc
import Model

/// What an open file, directory or control file of the mount is to the kernel: its `fh` is a retained reference.
class Handle: @unchecked Sendable {
    /// A reference for the kernel, which `release` takes back.
    final func retainedForKernel() -> UInt64 {
        UInt64(UInt(bitPattern: Unmanaged.passRetained(self).toOpaque()))
    }

    static func of(_ reference: UInt64) throws(Errno) -> Handle {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(reference)) else { throw Errno(EBADF) }
        return Unmanaged<Handle>.fromOpaque(pointer).takeUnretainedValue()
    }

    static func release(_ reference: UInt64) {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(reference)) else { return }
        Unmanaged<Handle>.fromOpaque(pointer).release()
    }
}

/// An open regular file.
final class OpenFile: Handle, @unchecked Sendable {
    let node: Inode
    let descriptor: Descriptor
    /// O_SYNC or O_DSYNC, where the kernel leaves it to the mount to honour it; else 0.
    let ownSync: Int32
    /// Reads and writes bypass the kernel's page cache.
    let isDirect: Bool
    /// Which errors of syncs that lost data it has reported. Belongs to the `PageCaches`.
    var reportedErrors = WritebackErrors.Cursor()

    init(_ node: Inode, _ descriptor: Descriptor, isDirect: Bool = false, flags: Int32 = 0) {
        self.node = node
        self.descriptor = descriptor
        self.isDirect = isDirect
        ownSync = isDirect ? flags & O_SYNC : 0
    }

    static func behind(_ reference: UInt64) throws(Errno) -> OpenFile {
        guard let file = try Handle.of(reference) as? OpenFile else { throw Errno(EBADF) }
        return file
    }
}

/// An open directory: a listing taken when it was opened or rewound, so that entries that come and go meanwhile
/// never make others appear twice or not at all.
///
/// Offsets: 0 and 1 are "." and "..", then the entries.
final class OpenDirectory: Handle, @unchecked Sendable {
    let node: Inode
    private let lock = Lock()
    private var opened: Descriptor?
    private var listing: [(name: ByteString, node: Inode)]?

    init(_ node: Inode) { self.node = node }

    static func behind(_ reference: UInt64) throws(Errno) -> OpenDirectory {
        guard let directory = try Handle.of(reference) as? OpenDirectory else { throw Errno(EBADF) }
        return directory
    }

    /// A descriptor of the directory itself, opened when it is first asked for.
    func descriptor(_ table: InodeTable) throws(Errno) -> Descriptor {
        try lock.withLock { () throws(Errno) in
            if let opened { return opened }
            let fresh = try table.openFile(node, flags: O_RDONLY)
            opened = fresh
            return fresh
        }
    }

    /// The listing for a read at `offset`; a read from the beginning takes a new one.
    func entries(at offset: Int, _ table: InodeTable) -> [(name: ByteString, node: Inode)] {
        lock.withLock {
            if let listing, offset > 0 { return listing }
            let fresh = table.entries(of: node)
            listing = fresh
            return fresh
        }
    }
}
