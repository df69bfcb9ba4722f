import Bytes
import CPlatform
import Glibc
import Platform

/// A file of a `PosixStorage`. Repeats interrupted calls and continues short reads and writes.
final class PosixFile: StorageFile {
    private let descriptor: Descriptor
    private let name: ByteString

    init(_ descriptor: consuming Descriptor, name: ByteString) {
        self.descriptor = descriptor
        self.name = name
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        let start = try offset(offsetBytes, .read)
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try retryingInterrupts(.read, name) {
                pread(descriptor.rawValue, rest.baseAddress, rest.count, start + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        let start = try offset(offsetBytes, .write)
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try retryingInterrupts(.write, name) {
                pwrite(descriptor.rawValue, rest.baseAddress, rest.count, start + off_t(done))
            }
            // A device that accepts no bytes without an error would make this loop endless.
            if count == 0 { throw .failed(.write, name: name, errno: EIO) }
            done += count
        }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        let size = try offset(sizeBytes, .truncate)
        _ = try retryingInterrupts(.truncate, name) { ftruncate(descriptor.rawValue, size) }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        guard countBytes > 0 else { return }
        let start = try offset(offsetBytes, .preallocate)
        let count = try offset(countBytes, .preallocate)
        let end = try offset(offsetBytes.addingReportingOverflow(countBytes).partialValue, .preallocate)
        do throws(Errno) {
            try Errno.checking { faultline_fallocate(descriptor.rawValue, 0, Int64(start), Int64(count)) }
        } catch  where error.code == EOPNOTSUPP || error.code == ENOSYS {
            // Without space reservation, extend sparsely: later commits still need no size change.
            if try length() < end { try truncate(to: UInt64(end)) }
        } catch {
            throw .failed(.preallocate, name: name, errno: error.code)
        }
    }

    func sync() throws(StorageError) {
        _ = try retryingInterrupts(.sync, name) { fdatasync(descriptor.rawValue) }
    }

    func length() throws(StorageError) -> UInt64 {
        var status = stat()
        _ = try retryingInterrupts(.length, name) { fstat(descriptor.rawValue, &status) }
        return UInt64(status.st_size)
    }

    private func offset(_ value: UInt64, _ call: StorageCall) throws(StorageError) -> off_t {
        guard let offset = off_t(exactly: value) else { throw .failed(call, name: name, errno: EFBIG) }
        return offset
    }
}
