import Bytes
import Glibc
import Platform

extension Descriptor {
    /// Opens `name` in `directory` without following a symbolic link. O_NONBLOCK keeps a FIFO from blocking; regular
    /// files ignore it.
    init(
        opening name: ByteString, in directory: borrowing Descriptor, flags: Int32, mode: mode_t = 0,
        call: StorageCall
    ) throws(StorageError) {
        try name.checkedAsFileName()
        let parent = directory.rawValue
        self.init(
            adopting: try retryingInterrupts(call, name) {
                name.withCString { openat(parent, $0, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode) }
            })
    }

    /// Throws EINVAL unless it is a regular file.
    borrowing func requireRegularFile(_ name: ByteString) throws(StorageError) {
        var attributes = stat()
        guard fstat(rawValue, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
            throw .failed(.open, name: name, errno: EINVAL)
        }
    }
}

/// `Errno.retrying`, with the call and the name in the error.
func retryingInterrupts<Result: FixedWidthInteger & SignedInteger>(
    _ call: StorageCall, _ name: ByteString, _ body: () -> Result
) throws(StorageError) -> Result {
    do throws(Errno) { return try Errno.retrying(body) } catch {
        throw .failed(call, name: name, errno: error.code)
    }
}
