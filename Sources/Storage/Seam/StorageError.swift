import Bytes
import Glibc
import Platform

/// A call of `Storage` or `StorageFile`. The raw value is its name in reports and rules.
public enum StorageCall: String, Hashable, Sendable, CaseIterable {
    case openDirectory = "open directory"
    case open, create, list, rename, unlink
    case syncDirectory = "sync directory"
    case lockDirectory = "lock directory"
    case read, write, truncate, preallocate, sync, length
}

/// A storage call failed.
public enum StorageError: Error, Hashable, Sendable {
    /// The system reported an error.
    case failed(StorageCall, name: ByteString, errno: Int32)
    /// An injected fault; never a real failure. `rule` is the text of the rule that fired.
    case injected(StorageCall, name: ByteString, errno: Int32, rule: ByteString)
    /// The name is empty, `.`, `..`, longer than 255 bytes, or contains `/` or NUL.
    case invalidName(ByteString)
    /// Another owner, in this or another process, holds the lock of the directory.
    case directoryLocked(ByteString)

    /// The corresponding errno.
    public var errno: Int32 {
        switch self {
        case .failed(_, _, let errno), .injected(_, _, let errno, _): errno
        case .invalidName: EINVAL
        case .directoryLocked: EWOULDBLOCK
        }
    }
}

extension StorageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .failed(let call, let name, let errno):
            "\(call.rawValue) '\(name)': \(Errno(errno))"
        case .injected(let call, let name, let errno, let rule):
            "\(call.rawValue) '\(name)': \(Errno(errno)) (injected by: \(rule))"
        case .invalidName(let name):
            "'\(name)' is not a file name: 1 to 255 bytes, without '/' and NUL, neither '.' nor '..'"
        case .directoryLocked(let path):
            "'\(path)' is locked: another process, or another store in this process, has it open for writing"
        }
    }
}

extension ByteString {
    /// Throws unless it is a valid file name.
    package func checkedAsFileName() throws(StorageError) {
        let isInvalid =
            isEmpty || count > 255 || self == "." || self == ".."
            || bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
        if isInvalid { throw .invalidName(self) }
    }
}
