import Bytes
import Glibc

/// realpath(3).
enum RealPath {
    /// `path` without symbolic links; it must be there.
    static func of(_ path: ByteString) throws(BlockError) -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else {
            throw .system(call: "realpath", path: path, errno: errno)
        }
        defer { free(resolved) }
        return ByteString(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }
}
