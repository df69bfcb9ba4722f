import Bytes
import Glibc

/// A call of the storage seam, by the name that reports and rules use.
public enum StorageCall: String, Hashable, Sendable, CaseIterable {
    case openDirectory = "open directory"
    case open, create, list, rename, unlink
    case syncDirectory = "sync directory"
    case lockDirectory = "lock directory"
    case read, write, truncate, preallocate, sync, length
}

/// Why a call of the storage seam failed.
public enum StorageError: Error, Hashable, Sendable {
    /// The system refused: which call, on which name, and why.
    case failed(StorageCall, name: ByteString, errno: Int32)
    /// A fault was injected on purpose; never confused with a real failure. The rule is the one that fired, as it prints.
    case injected(StorageCall, name: ByteString, errno: Int32, rule: ByteString)
    /// The name is empty, `.`, `..`, longer than 255 bytes, or holds `/` or NUL.
    case invalidName(ByteString)
    /// Another owner, in this process or in another, holds the directory.
    case directoryLocked(ByteString)

    /// The errno that this failure stands for.
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
            "\(call.rawValue) '\(name)': \(Self.text(of: errno))"
        case .injected(let call, let name, let errno, let rule):
            "\(call.rawValue) '\(name)': \(Self.text(of: errno)) (injected by: \(rule))"
        case .invalidName(let name):
            "'\(name)' is no file name: 1 to 255 bytes, without '/' and NUL, neither '.' nor '..'"
        case .directoryLocked(let path):
            "'\(path)' is locked: another process, or another store of this one, has it open for writing"
        }
    }

    private static func text(of errno: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        // The XSI form fills the buffer, the GNU form may return a static string instead; both are NUL-terminated.
        guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "errno \(errno)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension ByteString {
    /// Refuses what is no single component of a path.
    package func checkedAsFileName() throws(StorageError) {
        let refused =
            isEmpty || count > 255 || self == "." || self == ".."
            || bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
        if refused { throw .invalidName(self) }
    }
}
