import Bytes
import Glibc
import Model
import Platform

/// An append-only file without a name for data that does not fit into memory. Its space is freed with the last
/// reference or when the process ends, however it ends.
///
/// Thread safe.
package final class SpillFile: PayloadStore, Sendable {
    private let descriptor: Descriptor
    private let directory: ByteString
    private let filledBytes = Guarded<UInt64>(0)

    /// A new file on the filesystem of `directory`.
    package init(in directory: ByteString) throws(SpillError) {
        self.directory = directory
        do throws(OutputError) {
            descriptor = try OutputDescriptor.unnamed(in: directory)
        } catch {
            throw .system(call: "open", directory: directory, errno: error.errno)
        }
    }

    /// The number of bytes in the file.
    package var sizeBytes: UInt64 { filledBytes.withLock { $0 } }

    /// Appends bytes and returns their place.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SpillError) -> Payload {
        let place = filledBytes.withLock { filled in
            defer { filled += UInt64(bytes.count) }
            return Payload(offsetBytes: filled, countBytes: UInt64(bytes.count))
        }
        var done = 0
        while done < bytes.count {
            let offset = off_t(place.offsetBytes) + off_t(done)
            let count = pwrite(descriptor.rawValue, bytes.baseAddress! + done, bytes.count - done, offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw .system(call: "write", directory: directory, errno: count < 0 ? errno : ENOSPC)
            }
            done += count
        }
        return place
    }

    package func bytes(of payload: Payload) throws(SpillError) -> [UInt8] {
        let count = Int(payload.countBytes)
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count, failure == 0 {
                let offset = off_t(payload.offsetBytes) + off_t(done)
                let got = pread(descriptor.rawValue, buffer.baseAddress! + done, count - done, offset)
                if got < 0, errno == EINTR { continue }
                if got > 0 { done += got } else { failure = got < 0 ? errno : EIO }
            }
        }
        guard failure == 0 else { throw .system(call: "read", directory: directory, errno: failure) }
        return bytes
    }
}

/// Writing or reading a spill file failed.
package enum SpillError: Error, Hashable, Sendable {
    case system(call: String, directory: ByteString, errno: Int32)
}

extension SpillError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let directory, let errno):
            "\(directory): \(call): \(Errno(errno)) (a temporary file for data that does not fit into "
                + "memory: free space there, or raise --memory)"
        }
    }
}
