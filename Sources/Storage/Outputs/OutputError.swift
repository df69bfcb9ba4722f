import Bytes
import Glibc
import Platform

/// An output (report, export, archive, case, trace, oracle) could not be written.
///
/// Prints one line with path and reason: `cannot write report.xml: No space left on device`.
public struct OutputError: Error, Hashable, Sendable {
    public var path: ByteString
    public var reason: Reason

    public enum Reason: Hashable, Sendable {
        /// A system call failed.
        case system(errno: Int32)
        /// Its parent directory cannot be used.
        case parent(ByteString, errno: Int32)
        /// The path exists and must not be replaced.
        case exists
        /// The directory must be empty and is not.
        case notEmpty
        case isDirectory
        /// A FIFO or socket without a reader: opening it would block.
        case noReader
        /// `/dev/fd/N` or similar, where N is not open for writing.
        case closedDescriptor
        /// A link in /proc to a regular file.
        case linkOfProc
        /// Something that another user owns, in a world-writable sticky directory: it may be a trap.
        case foreign(owner: UInt32)
        /// The file is writable, but a new file to replace it cannot be created in its directory.
        case directoryClosed(errno: Int32)
        /// The file is a mount point and cannot be replaced.
        case isMountPoint
        /// It is also an input of the command.
        case isInput
        /// It is also another output of the command.
        case isOutputTwice
        /// It is inside the input directory.
        case withinInput(ByteString)
    }

    public init(_ path: ByteString, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    /// The corresponding errno.
    public var errno: Int32 {
        switch reason {
        case .system(let errno), .parent(_, let errno), .directoryClosed(let errno): errno
        case .exists: EEXIST
        case .notEmpty: ENOTEMPTY
        case .isDirectory: EISDIR
        case .noReader: ENXIO
        case .closedDescriptor: EBADF
        case .foreign: EACCES
        case .isMountPoint: EBUSY
        case .linkOfProc, .isInput, .isOutputTwice, .withinInput: EINVAL
        }
    }
}

extension OutputError: CustomStringConvertible {
    public var description: String { "cannot write \(path == "-" ? "standard output" : path.description): \(words)" }

    private var words: String {
        switch reason {
        case .system(let errno): Errno(errno).description
        case .parent(let directory, let errno): "the directory \(directory): \(Errno(errno))"
        case .exists: "it already exists: remove it or choose another name"
        case .notEmpty: "it is not empty"
        case .isDirectory: "it is a directory"
        case .noReader: "nothing reads from it: start the reader first"
        case .closedDescriptor: "this descriptor is not open for writing"
        case .linkOfProc: "it is a link in /proc: name the file itself"
        case .foreign(let owner):
            "it belongs to user \(owner), in a world-writable directory: remove it or choose another file"
        case .directoryClosed(let errno):
            "cannot create its replacement in its directory (\(Errno(errno))): choose another "
                + "file, or use /dev/stdout and redirect it"
        case .isMountPoint:
            "it is a mount point and cannot be replaced: choose another file, or use /dev/stdout and redirect it"
        case .isInput: "this command reads it"
        case .isOutputTwice: "another output of this command goes there, too"
        case .withinInput(let directory): "it is inside the input directory \(directory)"
        }
    }
}
