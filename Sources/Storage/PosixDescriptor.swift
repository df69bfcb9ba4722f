import Bytes
import Glibc

/// A file descriptor that is closed exactly once, when its owner ends.
struct PosixDescriptor: ~Copyable {
    let rawValue: Int32

    init(adopting rawValue: Int32) { self.rawValue = rawValue }

    /// Opens `name` beneath `directory`, never through a symbolic link in its last component. A FIFO is not waited for;
    /// regular files take no notice of O_NONBLOCK.
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

    /// EINVAL for anything but a regular file: it has no offsets, or no end.
    borrowing func requireRegularFile(_ name: ByteString) throws(StorageError) {
        var attributes = stat()
        guard fstat(rawValue, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
            throw .failed(.open, name: name, errno: EINVAL)
        }
    }
}

/// Calls until the call is not interrupted by a signal; -1 becomes an error with its errno.
func retryingInterrupts<Result: FixedWidthInteger & SignedInteger>(
    _ call: StorageCall, _ name: ByteString, _ body: () -> Result
) throws(StorageError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if errno != EINTR { throw .failed(call, name: name, errno: errno) }
    }
}
