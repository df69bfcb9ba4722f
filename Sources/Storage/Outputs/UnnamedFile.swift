import Bytes
import Glibc
import Platform

/// A temporary file without a name. Its space is freed with the last reference, however the process ends.
///
/// Not thread safe.
package final class UnnamedFile {
    private let directory: ByteString
    private let file: Descriptor

    package init(in directory: ByteString) throws(OutputError) {
        self.directory = directory
        file = try OutputDescriptor.unnamed(in: directory)
    }

    package func append(_ bytes: [UInt8]) throws(OutputError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(file.rawValue, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw OutputError(directory, .system(errno: count < 0 ? errno : EIO)) }
            done += count
        }
    }

    /// Passes the whole content to `body`, in chunks.
    package func forEachChunk(_ body: ([UInt8]) throws -> Void) throws {
        var offset: off_t = 0
        while true {
            var chunk = [UInt8](repeating: 0, count: 1 << 18)
            let count = pread(file.rawValue, &chunk, chunk.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TreeError.system(call: "read", path: directory, errno: errno) }
            if count == 0 { return }
            chunk.removeLast(chunk.count - count)
            try body(chunk)
            offset += off_t(count)
        }
    }
}
