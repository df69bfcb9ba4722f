import Bytes
import CPlatform
import Glibc
import Synchronization

/// A reference-counted file descriptor that is closed once: by `close` or with its last reference. A table may drop it
/// while a call in another thread still uses it; its number is not reused before that call ends.
///
/// Keep it in a variable while its number is in use: a temporary may be released, and closed, before the call.
/// `rawValue` must not be in use while another thread calls `close`.
package final class SharedDescriptor: Sendable {
    private let number: Atomic<Int32>

    /// Takes ownership of a descriptor; a negative number means none.
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

    /// A pipe with close-on-exec ends (pipe2(2)).
    package static func pipe() throws(Errno) -> (read: SharedDescriptor, write: SharedDescriptor) {
        var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
        try Errno.check(faultline_pipe(&readEnd, &writeEnd))
        return (SharedDescriptor(adopting: readEnd), SharedDescriptor(adopting: writeEnd))
    }

    /// open(2) with O_CLOEXEC, retried on EINTR, which FUSE may return.
    package static func open(_ path: ByteString, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(
            adopting: try Errno.retrying { path.withCString { Glibc.open($0, flags | O_CLOEXEC, mode) } })
    }

    /// Duplicates a descriptor to a number above the standard streams.
    package static func duplicate(_ rawValue: Int32) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(adopting: try Errno.retrying { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
    }

    package func setNonBlocking() {
        let value = rawValue
        _ = fcntl(value, F_SETFL, fcntl(value, F_GETFL) | O_NONBLOCK)
    }

    /// Writes all bytes. Blocks while the pipe is full; does not raise SIGPIPE.
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
