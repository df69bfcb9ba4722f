import Bytes
import Glibc
import Platform

/// `.faultline`, the virtual directory that controls the mount. It appears in no listing and does not exist in the
/// backing directory.
///
/// Its inode ids are far above those of the trace. Its files bypass the kernel's page cache, so that a write is
/// answered before write(2) returns. They keep working after a power cut, except for the oracle.
final class ControlDirectory: @unchecked Sendable {
    static let name: ByteString = ".faultline"
    private static let firstID: UInt = 1 << 60

    private let files: [(name: ByteString, file: any ControlFile)]
    private let owner = geteuid()
    private let group = getegid()

    init(_ files: [(name: ByteString, file: any ControlFile)]) { self.files = files }

    @inline(__always)
    func owns(_ id: UInt) -> Bool { id >= Self.firstID }

    /// nil when the name is outside `.faultline`. ENOENT when it is inside and there is no such file.
    func lookUp(_ parent: UInt, _ name: ByteString) throws(Errno) -> LookupReply? {
        if parent == 1 {
            guard name == Self.name else { return nil }
            return LookupReply(id: Self.firstID, attributes: try attributes(Self.firstID))
        }
        guard owns(parent) else { return nil }
        guard parent == Self.firstID else { throw Errno(ENOTDIR) }
        guard let index = files.firstIndex(where: { $0.name == name }) else { throw Errno(ENOENT) }
        let id = Self.firstID + 1 + UInt(index)
        return LookupReply(id: id, attributes: try attributes(id))
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

    /// Accepts a truncation, as a shell's `>` sends one, and times. EPERM for mode and owner.
    func setAttributes(_ id: UInt, _ changes: AttributeChanges) throws(Errno) -> stat {
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
    /// The size that stat(2) reports.
    var sizeBytes: Int64 { get }
    func open(flags: Int32) throws(Errno) -> ControlHandle
    /// Handles O_TRUNC and truncate(2).
    func truncate() throws(Errno)
}

/// An open file of the control directory. Reads and writes fail with EBADF unless overridden.
class ControlHandle: Handle, @unchecked Sendable {
    func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int { throw Errno(EBADF) }
    func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int { throw Errno(EBADF) }
    /// Called for fsync(2) and for each close(2). The close may not be the last one: shells and children duplicate
    /// descriptors. This is the last chance to report an error to the writer.
    func flush() throws(Errno) {}

    /// Serves a read from `bytes`.
    final func serve(_ bytes: [UInt8], _ buffer: UnsafeMutableRawBufferPointer, offset: Int64) -> Int {
        guard offset >= 0, offset < bytes.count else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}
