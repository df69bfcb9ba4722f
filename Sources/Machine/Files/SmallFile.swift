import Bytes
import Glibc
import Platform

/// Reads and replaces small files as a whole. Symbolic links are not followed.
package enum SmallFile {
    package static let limitBytes = 1 << 20

    /// Why a file could not be read.
    package enum Problem: Error, Hashable, CustomStringConvertible {
        case missing
        case notAFile(mode: mode_t)
        case tooLong
        case system(errno: Int32)

        package var description: String {
            switch self {
            case .missing: "it is not there"
            case .notAFile(let mode):
                switch mode & S_IFMT {
                case S_IFLNK: "it is a symbolic link, which is not followed"
                case S_IFDIR: "it is a directory"
                default: "it is no regular file"
                }
            case .tooLong: "it is longer than \(SmallFile.limitBytes >> 20) MiB"
            case .system(let errno): Errno(errno).description
            }
        }
    }

    /// Reads a regular file of at most `limitBytes`.
    package static func read(_ path: ByteString) -> Result<[UInt8], Problem> {
        var status = stat()
        guard path.withCString({ lstat($0, &status) }) == 0 else {
            return .failure(errno == ENOENT || errno == ENOTDIR ? .missing : .system(errno: errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(.notAFile(mode: status.st_mode)) }
        guard status.st_size <= limitBytes else { return .failure(.tooLong) }
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        guard file >= 0 else { return .failure(.system(errno: errno)) }
        defer { close(file) }
        return contents(ofOpen: file).map { .success($0) } ?? .failure(.system(errno: errno == 0 ? EIO : errno))
    }

    /// The file's bytes; nil if it cannot be read, exceeds `limitBytes`, or does not belong to `owner`.
    package static func contents(of path: ByteString, ownedBy owner: uid_t? = nil) -> [UInt8]? {
        let file = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        guard file >= 0 else { return nil }
        defer { close(file) }
        return contents(ofOpen: file, ownedBy: owner)
    }

    /// The bytes of an open file from its current offset; nil if it cannot be read, exceeds `limitBytes`, or is not a
    /// regular file of `owner`.
    package static func contents(ofOpen file: Int32, ownedBy owner: uid_t? = nil) -> [UInt8]? {
        if let owner {
            var status = stat()
            guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == owner else {
                return nil
            }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limitBytes else { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Replaces the file at `path` atomically: readers see the old or the new content.
    package static func replace(_ path: ByteString, with bytes: [UInt8], mode: mode_t = 0o600) throws(RunDirectoryError)
    {
        try Replacement(of: path, mode: mode).finish(bytes)
    }

    /// A new file that will replace another.
    package struct Replacement: ~Copyable {
        package let path: ByteString
        package let temporary: ByteString
        private let mode: mode_t
        package private(set) var descriptor: Int32

        /// The temporary name of a replacement of `path`.
        package static func temporary(of path: ByteString) -> ByteString { ByteString(path.bytes + Array(".new".utf8)) }

        package init(of path: ByteString, mode: mode_t = 0o600) throws(RunDirectoryError) {
            let temporary = Self.temporary(of: path)
            _ = temporary.withCString { unlink($0) }
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            descriptor = temporary.withCString { open($0, flags, mode) }
            (self.path, self.temporary, self.mode) = (path, temporary, mode)
            guard descriptor >= 0 else { throw .system("open", temporary) }
        }

        deinit { if descriptor >= 0 { close(descriptor) } }

        /// Writes the file and renames it to `path`.
        borrowing func finish(_ bytes: [UInt8]) throws(RunDirectoryError) {
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw .system("write", temporary) }
                written += count
            }
            guard fchmod(descriptor, mode) == 0 else { throw .system("fchmod", temporary) }
            let result = temporary.withCString { from in path.withCString { rename(from, $0) } }
            guard result == 0 else { throw .system("rename", path) }
        }

        /// Returns the descriptor; the caller must close it.
        consuming func releaseDescriptor() -> Int32 {
            let kept = descriptor
            descriptor = -1
            return kept
        }
    }
}
