import Bytes
import Glibc
import Model

/// Bytes that are put aside on a disk, so that keeping them takes no memory: a file that only grows. It has no name:
/// its room is given back with the last reference, or with the process, however that ends.
///
/// Safe from several threads.
package final class SpillFile: PayloadStore, Sendable {
    private let descriptor: PosixDescriptor
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

    /// How many bytes were put aside.
    package var sizeBytes: UInt64 { filledBytes.withLock { $0 } }

    /// Puts bytes aside, and answers where they are.
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

/// Why something could not be put aside on a disk, or not be read from there.
package enum SpillError: Error, Hashable, Sendable {
    case system(call: String, directory: ByteString, errno: Int32)
}

extension SpillError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let directory, let errno):
            "\(directory): \(call): \(String(cString: strerror(errno))) (for what does not fit into memory: make room "
                + "there, or give more memory with --memory)"
        }
    }
}
