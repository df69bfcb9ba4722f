import Bytes
import CPlatform
import Glibc
import Synchronization

/// A file descriptor with many holders, closed once: when asked to, or when the last reference goes. A table may drop it
/// while a call in another thread still uses it; its number is not reused before that call ends.
///
/// Hold it in a variable while its number is used: a temporary may be gone, and closed, before the call. Nobody may use
/// `rawValue` while another thread calls `close`.
package final class SharedDescriptor: Sendable {
    private let number: Atomic<Int32>

    /// Takes over a descriptor; a negative number stands for none.
    package init(adopting number: Int32) { self.number = Atomic(number) }

    deinit { close() }

    /// The descriptor, or -1 once closed.
    package var rawValue: Int32 {
        @inline(__always) get { number.load(ordering: .relaxed) }
    }

    package func close() {
        let old = number.exchange(-1, ordering: .acquiringAndReleasing)
        if old >= 0 { _ = Glibc.close(old) }
    }

    /// A pipe whose two ends are closed on execution (pipe2(2)).
    package static func pipe() throws(Errno) -> (read: SharedDescriptor, write: SharedDescriptor) {
        var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
        try Errno.check(faultline_pipe(&readEnd, &writeEnd))
        return (SharedDescriptor(adopting: readEnd), SharedDescriptor(adopting: writeEnd))
    }

    /// open(2), closed on execution, retried while signals interrupt it (FUSE lets them).
    package static func open(_ path: ByteString, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(
            adopting: try Errno.retrying { path.withCString { Glibc.open($0, flags | O_CLOEXEC, mode) } })
    }

    /// Another descriptor of the same open file, above the standard streams.
    package static func duplicate(_ rawValue: Int32) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(adopting: try Errno.retrying { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
    }

    package func setNonBlocking() {
        let value = rawValue
        _ = fcntl(value, F_SETFL, fcntl(value, F_GETFL) | O_NONBLOCK)
    }

    /// Writes all of `bytes` (write(2), as often as it takes), never raising SIGPIPE. Blocks while the other end is full.
    package func writeAll(_ bytes: [UInt8]) throws(Errno) {
        let number = rawValue
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                faultline_write_no_signal(number, $0.baseAddress! + done, $0.count - done)
            }
            if count != -Int(EINTR) { done += try Errno.check(count) }
        }
    }
}
