import Bytes
import CPlatform
import Glibc
import Synchronization

/// A file descriptor with one owner, closed once: when asked to, or when the owner goes.
///
/// Thread safe as far as the descriptor itself goes: nobody may use `rawValue` while another thread closes it.
final class Descriptor: Sendable {
    private let value: Mutex<Int32>

    init(_ rawValue: Int32) { value = Mutex(rawValue) }

    deinit { close() }

    /// The descriptor, or -1 once closed.
    var rawValue: Int32 { value.withLock { $0 } }

    func close() {
        let old = value.withLock { value in
            defer { value = -1 }
            return value
        }
        if old >= 0 { _ = Glibc.close(old) }
    }

    /// A pipe whose two ends are closed on execution.
    static func pipe() throws(TargetError) -> (read: Descriptor, write: Descriptor) {
        var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
        guard faultline_pipe(&readEnd, &writeEnd) == 0 else { throw .system("pipe2") }
        return (Descriptor(readEnd), Descriptor(writeEnd))
    }

    static func open(_ path: ByteString, _ flags: Int32, mode: mode_t = 0) throws(TargetError) -> Descriptor {
        let status = path.withCString { openFile($0, flags | O_CLOEXEC, mode) }
        guard status >= 0 else { throw .system("open", path) }
        return Descriptor(status)
    }

    static func duplicate(_ rawValue: Int32) throws(TargetError) -> Descriptor {
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .system("fcntl(F_DUPFD_CLOEXEC)") }
        return Descriptor(copy)
    }

    func setNonBlocking() {
        let value = rawValue
        _ = fcntl(value, F_SETFL, fcntl(value, F_GETFL) | O_NONBLOCK)
    }

    /// Writes all of `bytes` (write(2), as often as it takes), never raising SIGPIPE. Blocks while the other end is full.
    func writeAll(_ bytes: [UInt8]) throws(TargetError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                faultline_write_no_signal(rawValue, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write")
            }
            done += count
        }
    }
}

/// open(2) retried while signals interrupt it (FUSE lets them).
private func openFile(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t) -> Int32 {
    while true {
        let descriptor = Glibc.open(path, flags, mode)
        if descriptor >= 0 || errno != EINTR { return descriptor }
    }
}
