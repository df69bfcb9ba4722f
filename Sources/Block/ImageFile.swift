import Bytes
import CPlatform
import Glibc
import Storage

/// The file of a block device, sparse: sectors that hold nothing but zeros take no room.
///
/// One thread at a time.
final class ImageFile {
    let path: ByteString
    let sizeBytes: UInt64
    private let descriptor: Int32

    static let pageBytes: UInt64 = 4096
    private static let (seekData, seekHole): (Int32, Int32) = (3, 4)
    private static let punchHole: Int32 = 3

    /// Makes a new file of zeros; one that is there is an error.
    init(creating path: ByteString, sizeBytes: UInt64) throws {
        (self.path, self.sizeBytes) = (path, sizeBytes)
        descriptor = try OutputDescriptor.create(path, access: O_RDWR)
        guard ftruncate(descriptor, off_t(sizeBytes)) == 0 else { throw failure("ftruncate") }
    }

    /// Opens a file that is there, to be read.
    init(reading path: ByteString) throws(BlockError) {
        let number = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(number)
            throw .notARegularFile(path)
        }
        (self.path, sizeBytes, descriptor) = (path, UInt64(status.st_size), number)
    }

    deinit { close(descriptor) }

    /// Where it is not a hole, in order.
    func runsOfData() throws(BlockError) -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        var offset: off_t = 0
        while offset < off_t(sizeBytes) {
            let start = lseek(descriptor, offset, Self.seekData)
            if start < 0, errno == ENXIO { break }
            guard start >= 0 else { throw failure("lseek") }
            offset = lseek(descriptor, start, Self.seekHole)
            guard offset >= 0 else { throw failure("lseek") }
            runs.append(UInt64(start)..<min(UInt64(offset), sizeBytes))
        }
        return runs
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("pread") }
            done += count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("pwrite") }
            done += count
        }
    }

    /// Gives the room of pages back that hold nothing but zeros.
    func digHoles() throws(BlockError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(Self.pageBytes), alignment: 16)
        defer { buffer.deallocate() }
        for run in try runsOfData() {
            for page in stride(from: run.lowerBound, to: run.upperBound, by: Int(Self.pageBytes)) {
                let count = min(Self.pageBytes, run.upperBound - page)
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(count)])
                try read(part, at: page)
                guard part.allSatisfy({ $0 == 0 }) else { continue }
                guard faultline_fallocate(descriptor, Self.punchHole, Int64(page), Int64(count)) == 0 else {
                    throw failure("fallocate")
                }
            }
        }
    }

    /// The file's pages, to be read. Only those of `runsOfData` may be: reading a hole would give it room.
    func mapped() throws(BlockError) -> UnsafeRawPointer {
        let memory = mmap(nil, Int(sizeBytes), PROT_READ, MAP_SHARED, descriptor, 0)
        guard let memory, memory != MAP_FAILED else { throw failure("mmap") }
        return UnsafeRawPointer(memory)
    }

    private func failure(_ call: String) -> BlockError { .system(call: call, path: path, errno: errno) }
}
