import CPlatform
import Glibc
import Model

/// Bytes that are put aside beneath the state directory, so that keeping them costs no memory: a file that only grows,
/// and goes with the mount.
///
/// Threading: safe from several threads.
final class ScratchFile: PayloadStore, @unchecked Sendable {
    private let file: Descriptor
    private let lock = Lock()
    private var filledBytes: UInt64 = 0

    /// `file` is empty and belongs to the store.
    init(_ file: Descriptor) { self.file = file }

    /// Puts bytes aside.
    func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Payload {
        lock.lock()
        defer { lock.unlock() }
        var done = 0
        while done < bytes.count {
            let place = off_t(filledBytes) + off_t(done)
            done += try Errno.check(faultline_pwrite(file.number, bytes.baseAddress! + done, bytes.count - done, place))
        }
        defer { filledBytes += UInt64(bytes.count) }
        return Payload(offsetBytes: filledBytes, countBytes: UInt64(bytes.count))
    }

    /// Reads `payload` into a buffer that is at least as long.
    func read(_ payload: Payload, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        var done = 0
        let count = Int(payload.countBytes)
        while done < count {
            let place = off_t(payload.offsetBytes) + off_t(done)
            let got = try Errno.check(faultline_pread(file.number, buffer.baseAddress! + done, count - done, place))
            guard got > 0 else { throw Errno(EIO) }
            done += got
        }
    }

    func bytes(of payload: Payload) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(payload.countBytes))
        let failure: Errno? = bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) {
                try read(payload, into: buffer)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
