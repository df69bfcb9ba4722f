import Bytes
import Glibc

/// Why a tree could not be written or removed.
package enum TreeError: Error, Hashable, Sendable {
    /// A call to the system failed.
    case system(call: String, path: ByteString, errno: Int32)
    /// The tree holds a name that no file may have: empty, `.`, `..`, or with a slash or NUL in it.
    case invalidName(ByteString, directory: ByteString)
    /// A tree is written only where nothing can be in its way.
    case directoryNotEmpty(ByteString)
    /// A directory has two names, or lies within itself: no filesystem has one.
    case directoryTwice(path: ByteString)
    /// What has this name lies deeper than any path reaches: so many bytes from the root of the tree.
    case pathTooLong(name: ByteString, countBytes: Int)
    /// A FIFO, a device or a directory where a file has to be.
    case notRegularFile(ByteString)
    /// Something is mounted where only files were to be.
    case mountPoint(ByteString)
    /// A file or directory is immutable or append-only, and this process may not change that.
    case protected(ByteString)
    /// A symbolic link where a directory has to hold a file of its own: it may lead anywhere.
    case link(ByteString)
    /// The data of a file could not be read from where it is kept.
    case data(path: ByteString, reason: String)
}

extension TreeError {
    /// The errno that this failure stands for.
    var errno: Int32 {
        switch self {
        case .system(_, _, let errno): errno
        case .directoryNotEmpty: ENOTEMPTY
        case .directoryTwice, .link: ELOOP
        case .pathTooLong: ENAMETOOLONG
        case .mountPoint: EBUSY
        case .protected: EPERM
        case .invalidName, .notRegularFile: EINVAL
        case .data: EIO
        }
    }
}

extension TreeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(String(cString: strerror(errno)))"
        case .invalidName(let name, let directory): "'\(name)' in '\(directory)' is not a name that a file may have"
        case .directoryNotEmpty(let path): "\(path): a tree is written only into an empty directory"
        case .directoryTwice(let path): "\(path): a directory that is somewhere else too"
        case .pathTooLong(let name, let count):
            "the path of '\(name)' in the tree has \(count) bytes; no path has more than \(TreeMaterialiser.longestPathBytes)"
        case .notRegularFile(let path): "\(path): not a regular file"
        case .mountPoint(let path): "\(path): something is mounted there"
        case .protected(let path): "\(path): immutable or append-only, and only root may change that"
        case .link(let path): "\(path): a symbolic link, which may lead anywhere, where a file has to be"
        case .data(let path, let reason): "the data of \(path) cannot be read: \(reason)"
        }
    }
}
