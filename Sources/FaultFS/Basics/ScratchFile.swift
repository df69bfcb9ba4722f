import CPlatform
import Glibc
import Model
import Platform

/// An append-only file in the state directory for saved bytes, so that keeping them costs no memory. It is removed with
/// the mount.
///
/// Threading: thread safe.
final class ScratchFile: PayloadStore, @unchecked Sendable {
    private let file: SharedDescriptor
    private let lock = Lock()
    private var filledBytes: UInt64 = 0

    /// Takes ownership of `file`, which must be empty.
    init(_ file: SharedDescriptor) { self.file = file }

    /// Appends bytes and returns where they are.
    func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Payload {
        lock.lock()
        defer { lock.unlock() }
        var done = 0
        while done < bytes.count {
            let offset = off_t(filledBytes) + off_t(done)
            done += try Errno.check(
                faultline_pwrite(file.rawValue, bytes.baseAddress! + done, bytes.count - done, offset))
        }
        defer { filledBytes += UInt64(bytes.count) }
        return Payload(offsetBytes: filledBytes, countBytes: UInt64(bytes.count))
    }

    /// Reads `payload` into `buffer`, which must be large enough.
    func read(_ payload: Payload, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        var done = 0
        let count = Int(payload.countBytes)
        while done < count {
            let offset = off_t(payload.offsetBytes) + off_t(done)
            let got = try Errno.check(faultline_pread(file.rawValue, buffer.baseAddress! + done, count - done, offset))
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
