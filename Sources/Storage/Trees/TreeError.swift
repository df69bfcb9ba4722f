import Bytes
import Glibc
import Platform

/// A tree could not be written or removed.
package enum TreeError: Error, Hashable, Sendable {
    /// A system call failed.
    case system(call: String, path: ByteString, errno: Int32)
    /// The tree has an invalid name: empty, `.`, `..`, or with a slash or NUL.
    case invalidName(ByteString, directory: ByteString)
    /// A tree is written only into an empty directory.
    case directoryNotEmpty(ByteString)
    /// A directory has two names or contains itself: not possible in a filesystem.
    case directoryTwice(path: ByteString)
    /// The path of this name has `countBytes` bytes from the root of the tree, more than any path may have.
    case pathTooLong(name: ByteString, countBytes: Int)
    /// Not a regular file, where one is needed.
    case notRegularFile(ByteString)
    /// A mount point within the tree.
    case mountPoint(ByteString)
    /// A file or directory is immutable or append-only, and this process may not change that.
    case protected(ByteString)
    /// A symbolic link where a regular file is needed.
    case link(ByteString)
    /// The data of a file could not be read from its payload store.
    case data(path: ByteString, reason: String)
}

extension TreeError {
    /// The corresponding errno.
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
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        case .invalidName(let name, let directory): "'\(name)' in '\(directory)' is not a valid file name"
        case .directoryNotEmpty(let path): "\(path): the directory must be empty"
        case .directoryTwice(let path): "\(path): a directory that has another name, too"
        case .pathTooLong(let name, let count):
            "the path of '\(name)' in the tree has \(count) bytes; the limit is \(TreeMaterialiser.longestPathBytes)"
        case .notRegularFile(let path): "\(path): not a regular file"
        case .mountPoint(let path): "\(path): is a mount point"
        case .protected(let path): "\(path): immutable or append-only; only root may change that"
        case .link(let path): "\(path): a symbolic link instead of a regular file; it may lead anywhere"
        case .data(let path, let reason): "the data of \(path) cannot be read: \(reason)"
        }
    }
}
