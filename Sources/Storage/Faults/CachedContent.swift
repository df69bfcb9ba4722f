import Bytes
import Model

/// The page cache of a file of a `FaultyStorage`, with the bytes that only the cache has.
///
/// Threading: call with the file's lock held.
struct CachedContent {
    private(set) var cache = PageCache()
    private let disk = DiskContent()

    /// Unused kept bytes are freed when they exceed this and the used ones.
    private static let garbageLimitBytes: UInt64 = 1 << 20

    /// Runs `body`, which reads or changes the visible bytes of `file`.
    mutating func withCache<Result>(
        _ file: any StorageFile,
        _ body: (inout PageCache, CachedFile) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        defer { collectGarbage() }
        return try body(&cache, CachedFile(file: file, disk: disk))
    }

    /// The memory used by bytes that only the cache has.
    var keptBytes: UInt64 { disk.kept.countBytes }

    /// Drops clean pages. Also removes the bytes that a failed sync lost from the file.
    mutating func evict(_ file: () throws(StorageError) -> any StorageFile) throws(StorageError) {
        guard cache.evict(), !disk.older.isEmpty else { return }
        let file = CachedFile(file: try file(), disk: disk)
        for run in disk.older.slice(0..<(try file.sizeBytes())) {
            try file.writeAll(try file.kept(run.data), at: run.offsetBytes)
        }
        disk.older = ExtentMap()
        collectGarbage()
    }

    /// The bytes on disk, given that the wrapped file holds `bytes`.
    func onDisk(_ bytes: [UInt8]) -> [UInt8] { disk.overlay(bytes, at: 0) }

    private mutating func collectGarbage() {
        let count = disk.kept.countBytes
        guard count > 0 else { return }
        if cache.hasNoBytes, disk.older.isEmpty {
            disk.kept = PayloadArena()
            return
        }
        let needed = cache.keptBytes + disk.older.extents.reduce(0) { $0 + $1.data.countBytes }
        guard count > Self.garbageLimitBytes, count > 2 * needed else { return }
        let (old, new) = (disk.kept, PayloadArena())
        func move(_ payload: Payload) throws -> Payload { try new.store(old.bytes(of: payload)) }
        var moved = cache
        guard (try? moved.relocateKept(move)) != nil, let older = try? disk.older.moved(move) else { return }
        (cache, disk.older, disk.kept) = (moved, older, new)
    }
}

/// The bytes on disk where they are older than those of the wrapped file. Bytes that a failed sync lost stay in the
/// wrapped file while they are cached: the trace says of them that a crash may or may not lose them.
///
/// Threading: guarded by the file's lock.
final class DiskContent: @unchecked Sendable {
    fileprivate(set) var older = ExtentMap()
    fileprivate(set) var kept = PayloadArena()

    /// The bytes on disk, given that the wrapped file holds `bytes` at `offset`.
    fileprivate func overlay(_ bytes: [UInt8], at offset: UInt64) -> [UInt8] {
        guard !older.isEmpty else { return bytes }
        var bytes = bytes
        for run in older.slice(offset..<offset + UInt64(bytes.count)) {
            let start = Int(run.offsetBytes - offset)
            bytes.replaceSubrange(start..<start + Int(run.data.countBytes), with: self.bytes(of: run.data))
        }
        return bytes
    }

    fileprivate func bytes(of payload: Payload) -> [UInt8] {
        do { return try kept.bytes(of: payload) } catch {
            preconditionFailure("the payload belongs to this arena")
        }
    }

    fileprivate func covers(_ range: Range<UInt64>) -> Bool {
        older.slice(range).reduce(0) { $0 + $1.data.countBytes } == UInt64(range.count)
    }
}

/// The wrapped file under the page cache of a `FaultyStorage`.
struct CachedFile: PageCacheBacking {
    let file: any StorageFile
    fileprivate let disk: DiskContent

    func sizeBytes() throws(StorageError) -> UInt64 { try file.length() }

    func read(_ range: Range<UInt64>) throws(StorageError) -> [UInt8] {
        disk.overlay(try file.read(countBytes: range.count, at: range.lowerBound), at: range.lowerBound)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try file.write(bytes, at: offsetBytes)
        let (end, overflow) = offsetBytes.addingReportingOverflow(UInt64(bytes.count))
        if !overflow { discardOlder(offsetBytes..<end) }
        return bytes.count
    }

    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        let range = offsetBytes..<offsetBytes + UInt64(bytes.count)
        defer { discardOlder(range) }
        // Lost bytes on a page that is dirty again are still in the file.
        if disk.covers(range), try file.read(countBytes: bytes.count, at: offsetBytes) == bytes { return }
        try file.write(bytes, at: offsetBytes)
    }

    func revert(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        disk.older.write(disk.kept.store(bytes), at: offsetBytes)
    }

    func resize(to sizeBytes: UInt64) throws(StorageError) {
        try file.truncate(to: sizeBytes)
        discardOlder(sizeBytes..<UInt64.max)
    }

    /// Call when disk and file agree on the range.
    private func discardOlder(_ range: Range<UInt64>) {
        if !disk.older.isEmpty { disk.older.zero(range) }
    }

    func keep(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Payload { disk.kept.store(bytes) }

    func kept(_ payload: Payload) throws(StorageError) -> [UInt8] { disk.bytes(of: payload) }
}
