import Bytes
import Glibc

/// Removes files beneath a directory, never following a symbolic link and never leaving the filesystem that the
/// directory is on: a mount inside is an error, not a victim.
package enum TreeRemoval {
    /// Removes everything in the directory at `path`, and keeps the directory.
    package static func removeContents(of path: ByteString) throws(TreeError) {
        try empty(DirectoryHandle(opening: path))
    }

    /// Removes the directory at `path` with everything in it. A directory that is not there is no error.
    package static func remove(_ path: ByteString) throws(TreeError) {
        do throws(TreeError) {
            try removeContents(of: path)
        } catch {
            if case .system("open", _, ENOENT) = error { return }
            throw error
        }
        if path.withCString({ rmdir($0) }) != 0, errno != ENOENT {
            throw .system(call: "rmdir", path: path, errno: errno)
        }
    }

    private static func empty(_ directory: borrowing DirectoryHandle) throws(TreeError) {
        for name in try directory.names() {
            let isFile = name.withCString { unlinkat(directory.descriptor, $0, 0) } == 0
            if isFile { continue }
            guard errno == EISDIR || errno == EPERM else {
                throw .system(call: "unlinkat", path: directory.child(name), errno: errno)
            }
            // A directory that a crash state left without permissions must still go.
            try directory.call("fchmodat", name) { fchmodat($0, $1, 0o700, 0) }
            try empty(DirectoryHandle(name, in: directory))
            try directory.call("unlinkat", name) { unlinkat($0, $1, AT_REMOVEDIR) }
        }
    }
}
