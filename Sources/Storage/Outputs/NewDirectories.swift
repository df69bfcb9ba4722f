import Bytes
import Glibc

/// Creates the missing directories of a path, and can remove them again when the work that needs them fails.
package struct NewDirectories: Sendable {
    /// The created directories, outermost first.
    package private(set) var paths: [ByteString] = []

    /// Creates the directory at `path` and every missing parent. When this returns, each new name is durable; when it
    /// throws, none is left.
    package init(making path: ByteString, permissions: UInt32 = 0o700) throws(OutputError) {
        guard !path.isEmpty, !path.bytes.contains(0) else { throw OutputError(path, .system(errno: EINVAL)) }
        do throws(OutputError) {
            try make(path, mode_t(permissions), hasParent: false)
        } catch {
            removeEmpty()
            throw error.errno == EEXIST ? OutputError(path, .system(errno: ENOTDIR)) : error
        }
    }

    /// Removes the created directories that are empty.
    package func removeEmpty() {
        for path in paths.reversed() where path.withCString({ rmdir($0) }) != 0 { return }
    }

    /// `hasParent`: the parent exists. Some filesystems fail every mkdir with ENOENT; this ends the recursion.
    private mutating func make(_ path: ByteString, _ mode: mode_t, hasParent: Bool) throws(OutputError) {
        if path.withCString({ mkdir($0, mode) }) != 0 {
            let error = errno
            if error == EEXIST, path.isDirectory { return }
            guard error == ENOENT, !hasParent, let parent = path.parentDirectory else {
                throw OutputError(path, .system(errno: error))
            }
            try make(parent, mode, hasParent: false)
            return try make(path, mode, hasParent: true)
        }
        paths.append(path)
        let parent = path.parentDirectory ?? "."
        let number = parent.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        // A directory without read permission can be written to, but not synced.
        guard number >= 0 else { return }
        defer { close(number) }
        if fsync(number) != 0, errno != EINVAL { throw OutputError(path, .system(errno: errno)) }
    }
}

extension ByteString {
    /// Whether it is a directory, or a link to one.
    package var isDirectory: Bool {
        var status = stat()
        return withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The path without its last component; nil when it has only one.
    package var parentDirectory: ByteString? {
        let slash = UInt8(ascii: "/")
        let rest = bytes.reversed().drop { $0 == slash }.drop { $0 != slash }
        guard !rest.isEmpty else { return nil }
        let parent = rest.drop { $0 == slash }
        return parent.isEmpty ? "/" : ByteString(parent.reversed())
    }
}
