import Bytes
import Glibc
import Storage

/// Reads what the guest is made of, and what it has written.
enum GuestFile {
    /// The content of a regular file from `offset` on.
    static func read(_ path: ByteString, from offset: Int = 0, followingLinks: Bool = true) throws(GuestError)
        -> [UInt8]
    {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
        let descriptor = path.withCString { open($0, flags) }
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .system(call: "open", path: path, errno: EINVAL)
        }
        var bytes = [UInt8](repeating: 0, count: max(0, Int(status.st_size) - offset))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(call: "read", path: path, errno: errno) }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[..<done])
    }

    static func exists(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }

    /// The names in a directory, sorted bytewise; none where there is no directory.
    static func names(in directory: ByteString) -> [ByteString] {
        (TreeListing.names(in: directory) ?? []).sorted()
    }

    static func isWritable(_ directory: ByteString) -> Bool { directory.withCString { access($0, W_OK | X_OK) } == 0 }
}
