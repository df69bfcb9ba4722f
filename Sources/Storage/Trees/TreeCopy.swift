import Bytes
import CPlatform
import Glibc

/// Copies a directory tree without following symbolic links.
///
/// Keeps names, links, bytes, holes, modes, extended attributes, hard links, and owners if root. Leaves out dangerous
/// attributes: see `FileAttributes`. Devices are an error.
package struct TreeCopy {
    /// Copies to the new directory `to`, which must not exist. After an error part of the copy may exist.
    package static func copy(_ from: ByteString, to: ByteString) throws(TreeError) {
        let source = try DirectoryHandle(opening: from)
        guard to.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw .system(call: "mkdir", path: to, errno: errno)
        }
        let target = try DirectoryHandle(opening: to)
        var copy = TreeCopy()
        try copy.fill(target, from: source, depth: 0)
        try FileAttributes(of: source.descriptor, from).apply(to: target.descriptor, to)
    }

    /// Copies the entries of `from` into the existing directory `to`. None of the names may exist there.
    package static func fill(_ to: ByteString, from: ByteString) throws(TreeError) {
        var copy = TreeCopy()
        try copy.fill(DirectoryHandle(opening: to), from: DirectoryHandle(opening: from), depth: 0)
    }

    /// For lseek(2). The Glibc module lacks them.
    private static let (seekData, seekHole): (Int32, Int32) = (3, 4)

    private struct FileID: Hashable {
        var device: dev_t
        var inode: ino_t
    }

    /// The first copied path of each file with several names.
    private var firstNames: [FileID: ByteString] = [:]

    private mutating func fill(
        _ to: borrowing DirectoryHandle, from: borrowing DirectoryHandle, depth: Int
    ) throws(TreeError) {
        // Deeper than any path, and a bound for the stack.
        guard depth < 2048 else { throw .system(call: "mkdirat", path: to.path, errno: ENAMETOOLONG) }
        for name in try from.names() {
            let status = try from.status(of: name)
            if status.st_mode & S_IFMT == S_IFDIR {
                try to.call("mkdirat", name) { mkdirat($0, $1, 0o700) }
                let inner = try DirectoryHandle(name, in: to)
                let original = try DirectoryHandle(name, in: from)
                try fill(inner, from: original, depth: depth + 1)
                try FileAttributes(of: original.descriptor, original.path).apply(to: inner.descriptor, inner.path)
                continue
            }
            let file = FileID(device: status.st_dev, inode: status.st_ino)
            if status.st_nlink > 1, let first = firstNames[file] {
                try to.call("linkat", name) { descriptor, text in
                    first.withCString { linkat(AT_FDCWD, $0, descriptor, text, 0) }
                }
                continue
            }
            firstNames[file] = status.st_nlink > 1 ? to.child(name) : nil
            try Self.make(name, status, from, to)
        }
    }

    private static func make(
        _ name: ByteString, _ status: stat, _ from: borrowing DirectoryHandle, _ to: borrowing DirectoryHandle
    ) throws(TreeError) {
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            let input = try from.call("openat", name) { openat($0, $1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
            defer { close(input) }
            let output = try to.call("openat", name) {
                openat($0, $1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
            defer { close(output) }
            try copyData(input, output, from.child(name), to.child(name))
            try FileAttributes(of: input, from.child(name)).apply(to: output, to.child(name))
        case S_IFLNK:
            let target = try from.linkTarget(name)
            try to.call("symlinkat", name) { descriptor, text in target.withCString { symlinkat($0, descriptor, text) }
            }
        case S_IFIFO, S_IFSOCK:
            try to.call("mknodat", name) { mknodat($0, $1, status.st_mode & (S_IFMT | 0o777), 0) }
        default: throw .notRegularFile(from.child(name))
        }
    }

    /// Copies data and leaves holes.
    private static func copyData(
        _ input: Int32, _ output: Int32, _ from: ByteString, _ to: ByteString
    ) throws(TreeError) {
        var status = stat()
        guard fstat(input, &status) == 0 else { throw .system(call: "fstat", path: from, errno: errno) }
        // The entry may have been replaced since it was listed.
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(from) }
        var place: off_t = 0
        while place < status.st_size {
            var (start, end) = (faultline_lseek(input, place, Self.seekData), status.st_size)
            // Only a hole follows.
            if start == off_t(-ENXIO) { break }
            if start == off_t(-EINVAL) {
                // This filesystem does not support SEEK_DATA.
                start = place
            } else {
                guard start >= 0 else { throw .system(call: "lseek", path: from, errno: Int32(-start)) }
                end = faultline_lseek(input, start, Self.seekHole)
                guard end > start else { throw .system(call: "lseek", path: from, errno: end < 0 ? Int32(-end) : EIO) }
            }
            try copyRange(start..<end, input, output, from, to)
            place = end
        }
        guard ftruncate(output, status.st_size) == 0 else {
            throw .system(call: "ftruncate", path: to, errno: errno)
        }
    }

    private static func copyRange(
        _ range: Range<off_t>, _ input: Int32, _ output: Int32, _ from: ByteString, _ to: ByteString
    ) throws(TreeError) {
        var buffer = [UInt8](repeating: 0, count: min(1 << 18, range.count))
        var place = range.lowerBound
        while place < range.upperBound {
            let got = pread(input, &buffer, min(buffer.count, Int(range.upperBound - place)), place)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system(call: "read", path: from, errno: errno) }
            if got == 0 { return }
            var done = 0
            while done < got {
                let count = buffer.withUnsafeBytes {
                    pwrite(output, $0.baseAddress! + done, got - done, place + off_t(done))
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .system(call: "write", path: to, errno: count < 0 ? errno : EIO) }
                done += count
            }
            place += off_t(got)
        }
    }
}
