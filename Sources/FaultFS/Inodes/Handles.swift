import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// An open file, directory or control file. The kernel's `fh` is a reference to it (`KernelHandles`).
class Handle: @unchecked Sendable {
    static func of(_ reference: UInt64) throws(Errno) -> Handle {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(reference)) else { throw Errno(EBADF) }
        return Unmanaged<Handle>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// The handles that the kernel holds, each retained until the kernel releases it.
///
/// The kernel releases a file some time after its last close, and never if the mount ends first: a process that is killed, and
/// one that keeps a file open through a forced unmount. What it still holds then is released by `releaseAll`; otherwise one
/// such handle would keep the whole mount, with its files, for ever. Thread safe.
final class KernelHandles: Sendable {
    private let held = Guarded<Set<UInt64>>([])

    /// Retains a handle for the kernel.
    func hold(_ handle: Handle) -> UInt64 {
        let reference = UInt64(UInt(bitPattern: Unmanaged.passRetained(handle).toOpaque()))
        held.withLock { _ = $0.insert(reference) }
        return reference
    }

    /// Ignores what is not held.
    func release(_ reference: UInt64) {
        guard held.withLock({ $0.remove(reference) }) != nil else { return }
        Self.release(reference)
    }

    /// Call when no request can come any more.
    func releaseAll() {
        let left = held.withLock { held in
            defer { held = [] }
            return held
        }
        for reference in left { Self.release(reference) }
    }

    private static func release(_ reference: UInt64) {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(reference)) else { return }
        Unmanaged<Handle>.fromOpaque(pointer).release()
    }
}

/// An open regular file.
final class OpenFile: Handle, @unchecked Sendable {
    let node: Inode
    let descriptor: SharedDescriptor
    /// O_SYNC or O_DSYNC if the mount must honour it, as for direct I/O; otherwise 0.
    let ownSync: Int32
    /// Reads and writes bypass the kernel's page cache.
    let isDirect: Bool
    /// Which writeback errors this file has reported. Guarded by the lock of `PageCaches`.
    var reportedErrors = WritebackErrors.Cursor()

    init(_ node: Inode, _ descriptor: SharedDescriptor, isDirect: Bool = false, flags: Int32 = 0) {
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

/// An open directory with a snapshot of its entries, taken on open and on rewind: concurrent changes never make an
/// entry appear twice or not at all.
///
/// Offsets: 0 and 1 are "." and "..", then the entries.
final class OpenDirectory: Handle, @unchecked Sendable {
    let node: Inode
    private let lock = Lock()
    private var opened: SharedDescriptor?
    private var listing: [(name: ByteString, node: Inode)]?

    init(_ node: Inode) { self.node = node }

    static func behind(_ reference: UInt64) throws(Errno) -> OpenDirectory {
        guard let directory = try Handle.of(reference) as? OpenDirectory else { throw Errno(EBADF) }
        return directory
    }

    /// A descriptor of the directory, opened on first use.
    func descriptor(_ table: InodeTable) throws(Errno) -> SharedDescriptor {
        try lock.withLock { () throws(Errno) in
            if let opened { return opened }
            let fresh = try table.openFile(node, flags: O_RDONLY)
            opened = fresh
            return fresh
        }
    }

    /// The entries for a read at `offset`; a read at 0 takes a new snapshot.
    func entries(at offset: Int, _ table: InodeTable) -> [(name: ByteString, node: Inode)] {
        lock.withLock {
            if let listing, offset > 0 { return listing }
            let fresh = table.entries(of: node)
            listing = fresh
            return fresh
        }
    }
}
