import Bytes
import Glibc
import Model
import Platform

/// A file in memory. Memory is allocated for the whole length but touched only where bytes were written.
package final class MemoryFile: StorageFile {
    private let content: Guarded<Content>
    private let name: ByteString
    /// Notes the reads; nil if nobody asks for them, or for a new file.
    private let noted: ReadFile?

    package init(name: ByteString, contents: [UInt8] = []) {
        self.name = name
        noted = nil
        content = Guarded(Content(contents))
    }

    /// A file with the content of `image`, which it shares until the first write.
    package init(name: ByteString, _ image: FileImage, noting recorder: ReadRecorder?) {
        self.name = name
        noted = recorder.map { ReadFile(name, $0) }
        content = Guarded(Content(image))
    }

    func contentHash() -> StateHash { content.withLock { $0.hash } }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) -> Int {
        if let noted {
            let count = unnotedLength
            let begin = min(offsetBytes, count)
            noted.noteRead(begin..<begin + min(UInt64(buffer.count), count - begin))
        }
        return content.withLock { $0.read(into: buffer, at: offsetBytes) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        try checkEnd(offsetBytes, UInt64(bytes.count), .write)
        try check(.write, content.withLock { $0.write(bytes, at: Int(offsetBytes)) })
        noted?.noteWrite(offsetBytes..<offsetBytes + UInt64(bytes.count))
    }

    package func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try checkEnd(0, sizeBytes, .truncate)
        // What it leaves depends on the size before.
        noted?.noteSize()
        try check(.truncate, content.withLock { $0.resize(to: Int(sizeBytes)) })
    }

    package func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try checkEnd(offsetBytes, countBytes, .preallocate)
        let end = Int(offsetBytes + countBytes)
        try check(.preallocate, content.withLock { countBytes == 0 || end <= $0.count || $0.resize(to: end) })
    }

    package func sync() {}

    package var overwritesReservedSpace: Bool { true }

    package func length() -> UInt64 {
        noted?.noteSize()
        return content.withLock { UInt64($0.count) }
    }

    /// The size, for one who does not look at it.
    package var unnotedLength: UInt64 { content.withLock { UInt64($0.count) } }

    private func check(_ call: StorageCall, _ hadMemory: Bool) throws(StorageError) {
        if !hadMemory { throw .failed(call, name: name, errno: ENOMEM) }
    }

    /// Throws EFBIG for sizes that no file can have, so that arithmetic never traps.
    private func checkEnd(_ offset: UInt64, _ count: UInt64, _ call: StorageCall) throws(StorageError) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        if overflow || end > Self.largestSizeBytes { throw .failed(call, name: name, errno: EFBIG) }
    }

    private static let largestSizeBytes: UInt64 = 1 << 40
}

/// The bytes of a file. Bytes from `written` on are logically zero, whatever the memory holds.
private struct Content: ~Copyable {
    private var memory: FileMemory?
    private(set) var count = 0
    /// The end of the written part. At most `count`.
    private var written = 0
    /// Memory from here on is zero. Between `written` and `used` it has old bytes.
    private var used = 0
    /// Holds the bytes up to `written` until the first write; from then on `memory` does.
    private var image: FileImage?

    init(_ image: FileImage) {
        count = image.bytes.count
        written = count
        self.image = image
    }

    init(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let hadMemory = bytes.withUnsafeBytes { write($0, at: 0) }
        // Swift's own allocations also end the process when memory is short.
        precondition(hadMemory, "not enough memory for a file of \(bytes.count) bytes")
    }

    deinit { memory?.release(usedBytes: max(used, written)) }

    private var base: UnsafeRawPointer? { image?.bytes.baseAddress ?? memory.map { UnsafeRawPointer($0.base) } }
    private var capacity: Int { memory?.countBytes ?? 0 }

    var hash: StateHash {
        mutating get {
            if let image, count == image.bytes.count { return image.hash }
            if image == nil { zero(upTo: count) }
            return StateHash(of: UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count))
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        guard offset < UInt64(count), let target = buffer.baseAddress else { return 0 }
        let start = Int(offset)
        let available = min(buffer.count, count - start)
        let known = max(0, min(available, written - start))
        if known > 0, let base { target.copyMemory(from: base + start, byteCount: known) }
        memset(target + known, 0, available - known)
        return available
    }

    /// False, without a change, when memory is short.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
        let end = offset + bytes.count
        if end > count {
            if !resize(to: end) { return false }
        }
        if image != nil, !reserve(count) { return false }
        if offset > written { zero(upTo: offset) }
        memory!.base.advanced(by: offset).copyMemory(from: source, byteCount: bytes.count)
        written = max(written, end)
        return true
    }

    /// False, without a change, when memory is short.
    mutating func resize(to size: Int) -> Bool {
        if size < count {
            used = max(used, written)
            written = min(written, size)
        } else if size > capacity, image == nil || size > count {
            // Doubles the capacity if possible; otherwise takes what is needed.
            let isReserved = count > 0 && size < 2 * capacity && reserve(2 * capacity)
            guard isReserved || reserve(size) else { return false }
        }
        count = size
        return true
    }

    /// Zeroes old bytes up to `end`.
    private mutating func zero(upTo end: Int) {
        let stale = min(end, used)
        guard stale > written, let memory else { return }
        memset(memory.base + written, 0, stale - written)
        written = stale
    }

    private mutating func reserve(_ newCapacity: Int) -> Bool {
        guard let fresh = FileMemory(countBytes: newCapacity) else { return false }
        if let base, written > 0 { memcpy(fresh.base, base, written) }
        memory?.release(usedBytes: max(used, written))
        image = nil
        memory = fresh
        used = fresh.usedBytes
        return true
    }
}
