import Bytes
import Glibc
import Model

/// A file in memory. Memory grows with what was written or extended over, zero pages come lazily from the system.
final class MemoryFile: StorageFile {
    private let content: Guarded<Content>
    private let name: ByteString

    init(name: ByteString, contents: [UInt8] = []) {
        self.name = name
        content = Guarded(Content(contents))
    }

    /// A file that holds what `image` does, and shares it until it is written to.
    init(name: ByteString, _ image: FileImage) {
        self.name = name
        content = Guarded(Content(image))
    }

    func contentHash() -> StateHash { content.withLock { $0.hash } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) -> Int {
        content.withLock { $0.read(into: buffer, at: offsetBytes) }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        try checkEnd(offsetBytes, UInt64(bytes.count), .write)
        try check(.write, content.withLock { $0.write(bytes, at: Int(offsetBytes)) })
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try checkEnd(0, sizeBytes, .truncate)
        try check(.truncate, content.withLock { $0.resize(to: Int(sizeBytes)) })
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try checkEnd(offsetBytes, countBytes, .preallocate)
        let end = Int(offsetBytes + countBytes)
        try check(.preallocate, content.withLock { countBytes == 0 || end <= $0.count || $0.resize(to: end) })
    }

    func sync() {}

    func length() -> UInt64 { content.withLock { UInt64($0.count) } }

    private func check(_ call: StorageCall, _ hadMemory: Bool) throws(StorageError) {
        if !hadMemory { throw .failed(call, name: name, errno: ENOMEM) }
    }

    /// Refuses, as a filesystem does, what no file can hold; so that arithmetic below never traps.
    private func checkEnd(_ offset: UInt64, _ count: UInt64, _ call: StorageCall) throws(StorageError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        if overflow || end > Self.largestSizeBytes { throw .failed(call, name: name, errno: EFBIG) }
    }

    private static let largestSizeBytes: UInt64 = 1 << 40
}

/// Bytes from the system's zeroed memory. Everything between `count` and `capacity` is zero.
private struct Content: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0
    /// Whose memory it is, until the first change; then there is no capacity.
    private var image: FileImage?

    init(_ image: FileImage) {
        base = UnsafeMutableRawPointer(mutating: image.bytes.baseAddress)
        count = image.bytes.count
        self.image = image
    }

    init(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let hadMemory = bytes.withUnsafeBytes { write($0, at: 0) }
        // The array was just made: where there is no memory for its copy, Swift's own allocations end the process.
        precondition(hadMemory, "no memory for \(bytes.count) bytes of a file in memory")
    }

    deinit { if image == nil { Self.release(base, capacity) } }

    var hash: StateHash {
        if let image { return image.hash }
        return StateHash(of: UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        guard offset < UInt64(count), let base else { return 0 }
        let available = min(buffer.count, count - Int(offset))
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: base + Int(offset), count: available))
        return available
    }

    /// False, and nothing is changed, when there is no memory for it.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
        if offset + bytes.count > count {
            if !resize(to: offset + bytes.count) { return false }
        } else if image != nil, !reserve(count) {
            return false
        }
        base!.advanced(by: offset).copyMemory(from: source, byteCount: bytes.count)
        return true
    }

    /// False, and nothing is changed, when there is no memory for it.
    mutating func resize(to size: Int) -> Bool {
        if image != nil, size < count, !reserve(count) { return false }
        if size < count {
            memset(base! + size, 0, count - size)
        } else if size > capacity {
            // Twice the room if it is there, else what is needed.
            let isReserved = count > 0 && size < 2 * capacity && reserve(2 * capacity)
            guard isReserved || reserve(size) else { return false }
        }
        count = size
        return true
    }

    private mutating func reserve(_ newCapacity: Int) -> Bool {
        guard let fresh = Self.zeroedMemory(newCapacity) else { return false }
        if let base { memcpy(fresh, base, count) }
        if image == nil { Self.release(base, capacity) }
        image = nil
        base = fresh
        capacity = newCapacity
        return true
    }

    /// From here on memory comes in huge pages where the system has them: most of the cost of a large file in memory is
    /// touching its pages for the first time.
    private static let hugeBytes = 4 << 20

    private static func zeroedMemory(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= hugeBytes else { return calloc(count, 1) }
        let memory = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        _ = madvise(memory, count, MADV_HUGEPAGE)
        return memory
    }

    private static func release(_ memory: UnsafeMutableRawPointer?, _ count: Int) {
        guard let memory else { return }
        if count >= hugeBytes { munmap(memory, count) } else { free(memory) }
    }
}
