import Bytes
import Glibc

/// The checks of the paths that a mount uses.
extension FaultMount {
    /// Throws when an existing file of the harness lies within the backing directory or the mount, where the target
    /// could damage it. `role` names the file in the error: "a trace".
    package func requireOutside(_ file: ByteString, _ role: String) throws(MountError) {
        let file = try Self.resolve(file)
        for directory in [backing, mountPoint] where Self.isWithin(file, directory) {
            throw .within(file: file, role: role, directory: directory)
        }
    }

    static func check(_ backing: ByteString, _ mountPoint: ByteString) throws(MountError) {
        for path in [backing, mountPoint] {
            var attributes = stat()
            guard path.withCString({ stat($0, &attributes) }) == 0 else {
                throw .system(call: "stat", path: path, errno: errno)
            }
            guard attributes.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path) }
        }
        if isWithin(backing, mountPoint) || isWithin(mountPoint, backing) {
            throw .nested(backing: backing, mountPoint: mountPoint)
        }
        var above = backing.bytes[...]
        while let slash = above.lastIndex(of: UInt8(ascii: "/")), slash > 0 {
            above = above[..<slash]
            if StateDirectory.isMounted(ByteString(above)) {
                throw .backingInUse(ByteString(above), reason: "is mounted already and contains \(backing)")
            }
        }
        if try MountTable.read().contains(where: { $0.mountPoint == mountPoint }) { throw .mountPointInUse(mountPoint) }
        guard let stream = mountPoint.withCString({ opendir($0) }) else {
            throw .system(call: "opendir", path: mountPoint, errno: errno)
        }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        if count > 2 { throw .mountPointNotEmpty(mountPoint) }
    }

    static func resolve(_ path: ByteString) throws(MountError) -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else {
            throw .system(call: "realpath", path: path, errno: errno)
        }
        defer { free(resolved) }
        return ByteString(cString: resolved)
    }

    static func isWithin(_ path: ByteString, _ directory: ByteString) -> Bool {
        path == directory || path.bytes.starts(with: directory.bytes + [UInt8(ascii: "/")])
    }
}
