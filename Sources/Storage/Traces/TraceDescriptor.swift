import Bytes
import Glibc

/// An owned descriptor of a trace file, with complete reads and writes. Errors name call and path.
struct TraceDescriptor: ~Copyable, Sendable {
    let path: ByteString
    private let descriptor: CInt

    /// Creates a file with mode 0600. Fails when `path` exists, even as a symbolic link.
    init(creating path: ByteString) throws(TraceFileError) {
        do throws(OutputError) {
            descriptor = try OutputDescriptor.create(path, access: O_RDWR)
        } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
        self.path = path
    }

    init(reading path: ByteString) throws(TraceFileError) {
        descriptor = try Self.openedFile(path)
        self.path = path
    }

    /// Opens a device for writing, for tests with a full device.
    init(device path: ByteString) throws(TraceFileError) {
        descriptor = try Self.opened(path, O_WRONLY)
        self.path = path
    }

    private static func opened(_ path: ByteString, _ flags: CInt) throws(TraceFileError) -> CInt {
        guard !path.bytes.contains(0) else { throw .system(call: "open", path: path, errno: EINVAL) }
        let descriptor = path.withCString { open($0, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        guard descriptor >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        return descriptor
    }

    /// Opens a regular file for reading. O_NONBLOCK keeps a FIFO from blocking; regular files ignore it.
    private static func openedFile(_ path: ByteString) throws(TraceFileError) -> CInt {
        let descriptor = try opened(path, O_RDONLY | O_NONBLOCK)
        var status = stat()
        let isRead = fstat(descriptor, &status) == 0
        guard isRead, status.st_mode & S_IFMT == S_IFREG else {
            let error = errno
            close(descriptor)
            throw isRead ? .notAFile(path: path) : .system(call: "fstat", path: path, errno: error)
        }
        return descriptor
    }

    deinit { close(descriptor) }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(TraceFileError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw .system(call: "pwrite", path: path, errno: count < 0 ? errno : EIO)
            }
            done += count
        }
    }

    /// Reads into `bytes` at `offset`; returns the byte count, smaller only at the end of the file.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(TraceFileError) -> Int {
        guard offset <= UInt64(Int64.max) - UInt64(bytes.count) else { return 0 }
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(call: "pread", path: path, errno: errno) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// The current size of the file.
    func sizeBytes() throws(TraceFileError) -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(call: "fstat", path: path, errno: errno) }
        return UInt64(max(0, status.st_size))
    }
}
