import Bytes
import Glibc

/// `.faultline`, the directory within the mount through which it is controlled. It is not in any listing, and
/// nothing of it exists in the backing directory.
///
/// Its inodes have ids that the trace never reaches. Files in it bypass the kernel's page cache, so that what is
/// written is answered before write(2) returns, and they keep working after the power is cut, but for the oracle.
final class ControlDirectory: @unchecked Sendable {
    static let name: ByteString = ".faultline"
    private static let firstID: UInt = 1 << 60

    private let files: [(name: ByteString, file: any ControlFile)]
    private let owner = geteuid()
    private let group = getegid()

    init(_ files: [(name: ByteString, file: any ControlFile)]) { self.files = files }

    @inline(__always)
    func owns(_ id: UInt) -> Bool { id >= Self.firstID }

    /// nil when the name is none of ours; ENOENT when it is, and there is no such file.
    func lookUp(_ parent: UInt, _ name: ByteString) throws(Errno) -> FileSystem.Found? {
        if parent == 1 {
            guard name == Self.name else { return nil }
            return FileSystem.Found(id: Self.firstID, attributes: try attributes(Self.firstID))
        }
        guard owns(parent) else { return nil }
        guard parent == Self.firstID else { throw Errno(ENOTDIR) }
        guard let index = files.firstIndex(where: { $0.name == name }) else { throw Errno(ENOENT) }
        let id = Self.firstID + 1 + UInt(index)
        return FileSystem.Found(id: id, attributes: try attributes(id))
    }

    var listing: [(name: ByteString, id: UInt)] {
        files.enumerated().map { (name: $1.name, id: Self.firstID + 1 + UInt($0)) }
    }

    func attributes(_ id: UInt) throws(Errno) -> stat {
        var attributes = stat()
        attributes.st_ino = ino_t(id)
        attributes.st_uid = owner
        attributes.st_gid = group
        attributes.st_blksize = 4096
        if id == Self.firstID {
            attributes.st_mode = S_IFDIR | 0o700
            attributes.st_nlink = 2
        } else {
            attributes.st_mode = S_IFREG | 0o600
            attributes.st_nlink = 1
            attributes.st_size = off_t(try file(id).sizeBytes)
        }
        return attributes
    }

    /// A shell's `>` truncates before it writes; nothing else can be changed.
    func setAttributes(_ id: UInt, _ changes: FileSystem.AttributeChanges) throws(Errno) -> stat {
        if changes.mode != nil || changes.owner != nil || changes.group != nil { throw Errno(EPERM) }
        if changes.sizeBytes != nil { try file(id).truncate() }
        return try attributes(id)
    }

    func open(_ id: UInt, flags: Int32) throws(Errno) -> ControlHandle { try file(id).open(flags: flags) }

    private func file(_ id: UInt) throws(Errno) -> any ControlFile {
        guard owns(id) else { throw Errno(ENOENT) }
        if id == Self.firstID { throw Errno(EISDIR) }
        let index = Int(id - Self.firstID - 1)
        guard index < files.count else { throw Errno(ENOENT) }
        return files[index].file
    }
}

/// A file of the control directory.
protocol ControlFile: Sendable {
    /// What stat(2) says.
    var sizeBytes: Int64 { get }
    func open(flags: Int32) throws(Errno) -> ControlHandle
    /// Asked to become empty.
    func truncate() throws(Errno)
}

/// An open file of the control directory. What is not overridden is refused.
class ControlHandle: Handle, @unchecked Sendable {
    func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int { throw Errno(EBADF) }
    func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int { throw Errno(EBADF) }
    /// fsync(2), or close(2) of one of its descriptors, which may not be the last: a duplicate of a shell, or one that a
    /// child had. The last moment at which an error still reaches the writer.
    func flush() throws(Errno) {}

    /// Answers a read from `bytes`.
    final func serve(_ bytes: [UInt8], _ buffer: UnsafeMutableRawBufferPointer, offset: Int64) -> Int {
        guard offset >= 0, offset < bytes.count else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}
