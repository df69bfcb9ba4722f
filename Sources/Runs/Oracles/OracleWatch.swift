import Bytes
import Glibc
import Oracle
import Storage

/// Counts the acknowledgements in an oracle file while a workload writes to it.
package struct OracleWatch: ~Copyable {
    private let path: ByteString
    private var descriptor: Int32 = -1
    private var offset: off_t
    private var counter = AcknowledgementCounter()
    package var acknowledged: Int { counter.count }
    /// Whether the last line was not an acknowledgement.
    package var isFollowed: Bool { counter.isFollowed }

    /// Counts lines added after byte `offset`. The file may not exist yet.
    package init(_ path: ByteString, from offset: Int) {
        self.path = path
        self.offset = off_t(offset)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Reads the new bytes of the file.
    package mutating func poll() {
        if descriptor < 0 { descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) } }
        guard descriptor >= 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = pread(descriptor, &chunk, chunk.count, offset)
            guard count > 0 else { return }
            offset += off_t(count)
            counter.read(chunk.span.extracting(..<count))
        }
    }
}
