import Bytes
import CPlatform
import Glibc

/// Mode, owner and extended attributes for a file or directory from an untrusted source.
///
/// Leaves out attributes that would be dangerous on this machine: set-user-ID and set-group-ID of files, and
/// `security.*` (capabilities). No store's recovery depends on them.
struct FileAttributes {
    var isDirectory: Bool
    var mode: mode_t
    var owner: uid_t
    var group: gid_t
    var extended: [ByteString: [UInt8]]

    private static let largestValueBytes = 64 << 10

    /// Sets the attributes of an open file.
    ///
    /// - Parameter isOurs: the file already has this process's user and group, as a new file in a directory without
    ///   set-group-ID has.
    func apply(to file: Int32, _ path: ByteString, isOurs: Bool = false) throws(TreeError) {
        for (name, value) in extended where !name.bytes.starts(with: "security.".utf8) {
            let result = name.withCString { name in
                value.withUnsafeBytes { fsetxattr(file, name, $0.baseAddress, $0.count, 0) }
            }
            guard result == 0 else { throw .system(call: "fsetxattr '\(name)'", path: path, errno: errno) }
        }
        // Only root can change owners; the files of an ordinary user are its own already.
        if Self.isRoot, !(isOurs && owner == 0 && group == Self.ownGroup), fchown(file, owner, group) != 0 {
            throw .system(call: "fchown", path: path, errno: errno)
        }
        guard fchmod(file, mode & (isDirectory ? 0o7777 : 0o1777)) == 0 else {
            throw .system(call: "fchmod", path: path, errno: errno)
        }
    }

    /// Whether an open file has these attributes, as far as `apply` sets them.
    func match(_ file: Int32, _ path: ByteString) throws(TreeError) -> Bool {
        let present = try FileAttributes(of: file, path)
        func known(_ values: [ByteString: [UInt8]]) -> [ByteString: [UInt8]] {
            values.filter { !$0.key.bytes.starts(with: "security.".utf8) }
        }
        return present.isDirectory == isDirectory && present.mode == mode & (isDirectory ? 0o7777 : 0o1777)
            && (!Self.isRoot || (present.owner, present.group) == (owner, group))
            && known(present.extended) == known(extended)
    }

    private static let isRoot = geteuid() == 0
    private static let ownGroup = getegid()

    /// Reads the attributes of an open file.
    init(of file: Int32, _ path: ByteString) throws(TreeError) {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        (mode, owner, group) = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
        extended = try Self.extended(of: file, path)
    }

    init(
        isDirectory: Bool, mode: mode_t, owner: uid_t, group: gid_t, extended: [ByteString: [UInt8]]
    ) {
        (self.isDirectory, self.mode, self.owner, self.group) = (isDirectory, mode, owner, group)
        self.extended = extended
    }

    private static func extended(of file: Int32, _ path: ByteString) throws(TreeError) -> [ByteString: [UInt8]] {
        var buffer = [UInt8](repeating: 0, count: largestValueBytes)
        let length = buffer.withUnsafeMutableBytes { flistxattr(file, $0.baseAddress, $0.count) }
        if length < 0, errno == ENOTSUP { return [:] }
        guard length >= 0 else { throw .system(call: "flistxattr", path: path, errno: errno) }
        var values: [ByteString: [UInt8]] = [:]
        for name in buffer[..<length].split(separator: 0).map({ ByteString($0) }) {
            let count = name.withCString { name in
                buffer.withUnsafeMutableBytes { fgetxattr(file, name, $0.baseAddress, $0.count) }
            }
            if count < 0, errno == ENODATA { continue }
            guard count >= 0 else { throw .system(call: "fgetxattr", path: path, errno: errno) }
            values[name] = Array(buffer[..<count])
        }
        return values
    }
}
