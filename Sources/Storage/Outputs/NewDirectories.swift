import Bytes
import Glibc

/// The directories that were missing on the way to a path, made, and taken away again if what they were made for fails.
package struct NewDirectories: Sendable {
    /// What was made, the outermost first.
    package private(set) var paths: [ByteString] = []

    /// Makes the directory at `path` and every missing parent. Each new name is durable when this returns; when it throws,
    /// none is left.
    package init(making path: ByteString, permissions: UInt32 = 0o700) throws(OutputError) {
        guard !path.isEmpty, !path.bytes.contains(0) else { throw OutputError(path, .system(errno: EINVAL)) }
        do throws(OutputError) {
            try make(path, mode_t(permissions), hasParent: false)
        } catch {
            removeEmpty()
            throw error.errno == EEXIST ? OutputError(path, .system(errno: ENOTDIR)) : error
        }
    }

    /// Removes what was made, as far as nothing is in it.
    package func removeEmpty() {
        for path in paths.reversed() where path.withCString({ rmdir($0) }) != 0 { return }
    }

    /// `hasParent` says that the parent was made already: some filesystems answer ENOENT to whatever is made in them.
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
        // A directory that may not be read can take names all the same; nobody can sync it.
        guard number >= 0 else { return }
        defer { close(number) }
        if fsync(number) != 0, errno != EINVAL { throw OutputError(path, .system(errno: errno)) }
    }
}

extension ByteString {
    /// Whether a directory is there, links followed.
    package var isDirectory: Bool {
        var status = stat()
        return withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The path without its last component and the slashes around it; nil when there is only one.
    package var parentDirectory: ByteString? {
        let slash = UInt8(ascii: "/")
        let rest = bytes.reversed().drop { $0 == slash }.drop { $0 != slash }
        guard !rest.isEmpty else { return nil }
        let parent = rest.drop { $0 == slash }
        return parent.isEmpty ? "/" : ByteString(parent.reversed())
    }
}
