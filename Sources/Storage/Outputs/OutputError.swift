import Bytes
import Glibc

/// Why an output could not be written: a report, an export, an archive, a case, a trace, an oracle.
///
/// It prints as one line that names the path and the reason: `cannot write report.xml: No space left on device`.
public struct OutputError: Error, Hashable, Sendable {
    public var path: ByteString
    public var reason: Reason

    public enum Reason: Hashable, Sendable {
        /// The system refused.
        case system(errno: Int32)
        /// The directory that it should lie in cannot be used.
        case parent(ByteString, errno: Int32)
        /// The name is taken, and nothing is replaced here.
        case exists
        /// A directory that is to be filled holds something.
        case notEmpty
        case isDirectory
        /// A FIFO or a socket that nobody reads from: opening it would wait for ever.
        case noReader
        /// `/dev/fd/N` and its like, where N is not open for writing.
        case closedDescriptor
        /// A link in /proc to a file, which has a name of its own somewhere.
        case linkOfProc
        /// A link, a file or a FIFO of another user in a directory where everybody may write: it may be a trap.
        case foreign(owner: UInt32)
        /// The file could be written, but its directory takes no new file that would replace it at once.
        case directoryClosed(errno: Int32)
        /// It is mounted, and cannot be replaced by another file.
        case isMountPoint
        /// The same command reads it.
        case isInput
        /// The same command writes two things there.
        case isOutputTwice
        /// It lies in the directory that is read.
        case withinInput(ByteString)
    }

    public init(_ path: ByteString, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    /// The errno that this failure stands for.
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
        case .system(let errno): String(cString: strerror(errno))
        case .parent(let directory, let errno): "the directory \(directory): \(String(cString: strerror(errno)))"
        case .exists: "it is there already: remove it, or name another"
        case .notEmpty: "it is not empty"
        case .isDirectory: "it is a directory"
        case .noReader: "nothing reads from it: start the reader first"
        case .closedDescriptor: "this descriptor is not open for writing"
        case .linkOfProc: "it is a link in /proc: name the file itself"
        case .foreign(let owner):
            "it belongs to user \(owner), in a directory where everybody may write: remove it, or name another file"
        case .directoryClosed(let errno):
            "its directory takes no new file to replace it with (\(String(cString: strerror(errno)))): name another "
                + "file, or /dev/stdout and redirect it"
        case .isMountPoint:
            "it is a mount point, which no other file can replace: name another file, or /dev/stdout and redirect it"
        case .isInput: "this command reads it"
        case .isOutputTwice: "this command writes something else there, too"
        case .withinInput(let directory): "it lies in \(directory), which is being read"
        }
    }
}
