import Bytes
import CPlatform
import Glibc
import Platform

/// Opens outputs: the only place that creates files which a user keeps.
///
/// Descriptors are close-on-exec. Nothing is truncated. Opening a FIFO without a reader fails instead of blocking.
package enum OutputDescriptor {
    /// Creates a file. Fails when `path` exists, even as a symbolic link.
    package static func create(
        _ path: ByteString, access: Int32 = O_WRONLY, permissions: mode_t = 0o600
    ) throws(OutputError) -> Int32 {
        try open(path, access | O_CREAT | O_EXCL, permissions)
    }

    /// Opens or creates a file for appending. Fails for a symbolic link.
    package static func append(
        _ path: ByteString, access: Int32 = O_WRONLY, permissions: mode_t = 0o600
    ) throws(OutputError) -> (descriptor: Int32, isNew: Bool) {
        do throws(OutputError) {
            return (try open(path, access | O_APPEND | O_CREAT | O_EXCL, permissions), true)
        } catch  where error.errno == EEXIST {
            return (try open(path, access | O_APPEND | O_NONBLOCK, permissions), false)
        }
    }

    private static func open(_ path: ByteString, _ flags: Int32, _ mode: mode_t) throws(OutputError) -> Int32 {
        guard !path.bytes.contains(0) else { throw OutputError(path, .system(errno: EINVAL)) }
        while true {
            let number = path.withCString { Glibc.open($0, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
            if number >= 0 { return number }
            if errno != EINTR { throw OutputError(path, .system(errno: errno)) }
        }
    }

    /// Opens or creates a regular file for appending; -errno on failure.
    static func append(_ place: OutputName, _ mode: mode_t) -> Int32 {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let number = place.name.withCString { openat(place.parent, $0, flags, mode) }
        return number >= 0 ? number : -errno
    }

    /// Creates a file without a name in a directory. Without O_TMPFILE support, creates one with a random name and
    /// returns the name, too. -errno on failure.
    static func unnamed(in directory: Int32, _ mode: mode_t) -> (number: Int32, name: ByteString?) {
        let number = faultline_create_unnamed(directory, mode)
        guard [-EOPNOTSUPP, -EISDIR, -ENOENT, -EINVAL].contains(number) else { return (number, nil) }
        let name = temporaryName()
        return (name.withCString { faultline_create(directory, $0, O_RDWR, mode) }, name)
    }

    /// Like `unnamed(in:_:)`; always without a name.
    static func unnamed(in directory: ByteString) throws(OutputError) -> Descriptor {
        let parent = directory.withCString { faultline_open_directory_path(AT_FDCWD, $0) }
        guard parent >= 0 else { throw OutputError(directory, .system(errno: -parent)) }
        defer { close(parent) }
        let (number, name) = unnamed(in: parent, 0o600)
        guard number >= 0 else { throw OutputError(directory, .system(errno: -number)) }
        _ = name?.withCString { faultline_unlink_at(parent, $0, 0) }
        return Descriptor(adopting: number)
    }

    /// A random name for a temporary file.
    static func temporaryName() -> ByteString {
        ByteString(".faultline-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))")
    }

    /// Opens a device, FIFO or socket for writing; -errno on failure.
    static func through(_ place: OutputName, _ type: mode_t) -> Int32 {
        if type == S_IFSOCK { return connected(place) }
        // Links of /proc must be followed; the caller has checked the target.
        let follows = faultline_is_on_proc(place.parent) == 1 ? 0 : O_NOFOLLOW
        let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follows
        let number = place.name.withCString { openat(place.parent, $0, flags) }
        guard number >= 0 else { return -errno }
        // Only open(2) must not block; writes may.
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
        return number
    }

    /// Connects to a socket. Uses a path through /proc, since socket addresses are short.
    private static func connected(_ place: OutputName) -> Int32 {
        let path = Array("/proc/self/fd/\(place.parent)/".utf8) + place.name.bytes
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.count < room.count else { return false }
            room.copyBytes(from: path)
            return true
        }
        guard fits else { return -ENAMETOOLONG }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return -errno }
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let error = errno
            close(number)
            return error == ECONNREFUSED ? -ENXIO : -error
        }
        return number
    }
}
