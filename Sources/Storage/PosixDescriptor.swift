import Bytes
import Glibc

/// An owned file descriptor, closed at the end of its owner's life.
struct PosixDescriptor: ~Copyable {
    let rawValue: Int32

    init(adopting rawValue: Int32) { self.rawValue = rawValue }

    /// Opens `name` in `directory` without following a symbolic link. O_NONBLOCK keeps a FIFO from blocking; regular
    /// files ignore it.
    init(
        opening name: ByteString, in directory: borrowing PosixDescriptor, flags: Int32, mode: mode_t = 0,
        call: StorageCall
    ) throws(StorageError) {
        try name.checkedAsFileName()
        rawValue = try retryingInterrupts(call, name) {
            name.withCString { openat(directory.rawValue, $0, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode) }
        }
    }

    deinit { close(rawValue) }

    /// Throws EINVAL unless it is a regular file.
    borrowing func requireRegularFile(_ name: ByteString) throws(StorageError) {
        var attributes = stat()
        guard fstat(rawValue, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
            throw .failed(.open, name: name, errno: EINVAL)
        }
    }
}

/// Repeats a call while it fails with EINTR. Throws the errno for any other -1.
func retryingInterrupts<Result: FixedWidthInteger & SignedInteger>(
    _ call: StorageCall, _ name: ByteString, _ body: () -> Result
) throws(StorageError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if errno != EINTR { throw .failed(call, name: name, errno: errno) }
    }
}
