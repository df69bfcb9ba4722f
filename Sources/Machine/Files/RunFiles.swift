import Bytes
import Glibc
import Storage

/// Helpers for directories and files of a run.
package enum RunFiles {
    /// Creates a directory with mode 0700. Throws if it exists.
    package static func makeDirectory(_ path: ByteString) throws {
        let result = path.withCString { mkdir($0, 0o700) }
        guard result == 0 else { throw TreeError.system(call: "mkdir", path: path, errno: errno) }
    }

    /// Throws if `path` is not a directory.
    package static func requireDirectory(_ path: ByteString) throws(TreeError) {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else {
            throw .system(call: "open", path: path, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .system(call: "open", path: path, errno: ENOTDIR) }
    }

    /// Reads a whole file.
    ///
    /// - Parameter followingLinks: false for a file of a directory that may have come from anywhere.
    package static func read(_ path: ByteString, followingLinks: Bool = true) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try forEachChunk(of: path, followingLinks: followingLinks) { bytes += $0 }
        return bytes
    }

    /// Throws if `path` is a symbolic link. For files of an untrusted directory.
    package static func refuseLink(_ path: ByteString) throws(TreeError) {
        var status = stat()
        let isLink = path.withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFLNK
        if isLink { throw .link(path) }
    }

    /// Throws if an untrusted directory holds anything but files and directories. Not recursive.
    package static func requireFilesAndDirectories(in directory: ByteString) throws {
        try refuseLink(directory)
        for name in TreeListing.names(in: directory) ?? [] {
            let path = directory.appending(component: name)
            var status = stat()
            guard path.withCString({ lstat($0, &status) }) == 0 else {
                throw TreeError.system(call: "lstat", path: path, errno: errno)
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG, S_IFDIR: continue
            case S_IFLNK: throw TreeError.link(path)
            default: throw TreeError.notRegularFile(path)
            }
        }
    }

    /// Passes the bytes of a regular file to `body` in chunks. Rejects a FIFO without blocking.
    ///
    /// - Parameters:
    ///   - offset: where to begin, in bytes.
    ///   - followingLinks: false for a file of a directory that may have come from anywhere.
    package static func forEachChunk(
        of path: ByteString, from offset: Int = 0, followingLinks: Bool = true, _ body: ([UInt8]) throws -> Void
    ) throws {
        if !followingLinks { try refuseLink(path) }
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
        let descriptor = path.withCString { open($0, flags) }
        guard descriptor >= 0 else { throw TreeError.system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw TreeError.system(call: "fstat", path: path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TreeError.notRegularFile(path)
        }
        guard offset == 0 || lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
            throw TreeError.system(call: "lseek", path: path, errno: errno)
        }
        while true {
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, initialized in
                var count = -1
                repeat {
                    count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                } while count < 0 && errno == EINTR
                failure = count < 0 ? errno : 0
                initialized = max(0, count)
            }
            guard failure == 0 else { throw TreeError.system(call: "read", path: path, errno: failure) }
            if chunk.isEmpty { return }
            try body(chunk)
        }
    }

    /// Passes the lines of a file to `body`, without newlines. The last line may lack its newline.
    ///
    /// - Parameters:
    ///   - offset: where to begin, in bytes.
    ///   - followingLinks: false for a file of a directory that may have come from anywhere.
    package static func forEachLine(
        of path: ByteString, from offset: Int = 0, followingLinks: Bool = true, _ body: ([UInt8]) throws -> Void
    ) throws {
        var carried: [UInt8] = []
        try forEachChunk(of: path, from: offset, followingLinks: followingLinks) { chunk in
            var place = 0
            while let newline = chunk[place...].firstIndex(of: UInt8(ascii: "\n")) {
                try body(carried + chunk[place..<newline])
                carried.removeAll(keepingCapacity: true)
                place = newline + 1
            }
            carried += chunk[place...]
        }
        if !carried.isEmpty { try body(carried) }
    }

    /// The offset of the end of the last complete line, in bytes; 0 if there is none.
    package static func endOfLastLine(_ path: ByteString) throws -> Int {
        var (place, end) = (0, 0)
        try forEachChunk(of: path) { chunk in
            if let newline = chunk.lastIndex(of: UInt8(ascii: "\n")) { end = place + newline + 1 }
            place += chunk.count
        }
        return end
    }

    /// The offset of the end of line `number`, in bytes; the file's size if it has fewer lines.
    package static func end(ofLine number: Int, in path: ByteString) throws -> Int {
        var (left, end) = (number, 0)
        try forEachChunk(of: path) { chunk in
            var place = 0
            while left > 0, let newline = chunk[place...].firstIndex(of: UInt8(ascii: "\n")) {
                left -= 1
                place = newline + 1
            }
            end += left > 0 ? chunk.count : place
        }
        return end
    }

    package static func isRegularFile(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    package static func exists(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }

    /// The size of a file in bytes; 0 if it does not exist.
    package static func size(of path: ByteString) -> Int {
        var status = stat()
        return path.withCString { stat($0, &status) } == 0 ? Int(status.st_size) : 0
    }

    /// Truncates a file to `sizeBytes`.
    package static func truncate(_ path: ByteString, to sizeBytes: Int) throws {
        let result = path.withCString { Glibc.truncate($0, off_t(sizeBytes)) }
        guard result == 0 else { throw TreeError.system(call: "truncate", path: path, errno: errno) }
    }

    /// Removes a file. A missing file is not an error.
    package static func remove(_ path: ByteString) throws {
        let result = path.withCString { unlink($0) }
        guard result == 0 || errno == ENOENT else { throw TreeError.system(call: "unlink", path: path, errno: errno) }
    }

    /// Creates a hard link. Returns false on failure.
    package static func link(_ from: ByteString, _ to: ByteString) -> Bool {
        from.withCString { from in to.withCString { to in Glibc.link(from, to) == 0 } }
    }
}
