import Bytes
import Model

/// The page cache over a file of a `FaultyStorage`, with the bytes that only the cache has. Every call is made with the
/// lock of the file held.
struct CachedContent {
    private(set) var cache = PageCache()
    private let disk = DiskContent()

    /// The kept bytes that nobody needs any more may be so many, and as many as the others.
    private static let wasteLimitBytes: UInt64 = 1 << 20

    /// Reads, or changes, what programs see of `file`.
    mutating func withCache<Result>(
        _ file: any StorageFile,
        _ body: (inout PageCache, CachedFile) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        defer { dropWaste() }
        return try body(&cache, CachedFile(file: file, disk: disk))
    }

    /// How much memory the bytes that only the cache has take up.
    var keptBytes: UInt64 { disk.kept.countBytes }

    /// Clean pages go: what a failed sync lost is gone from the file, too.
    mutating func evict(_ file: () throws(StorageError) -> any StorageFile) throws(StorageError) {
        guard cache.evict(), !disk.older.isEmpty else { return }
        let file = CachedFile(file: try file(), disk: disk)
        for run in disk.older.slice(0..<(try file.sizeBytes())) {
            try file.writeAll(try file.kept(run.data), at: run.offsetBytes)
        }
        disk.older = ExtentMap()
        dropWaste()
    }

    /// What the disk holds where the file beneath holds `bytes`.
    func onDisk(_ bytes: [UInt8]) -> [UInt8] { disk.over(bytes, at: 0) }

    private mutating func dropWaste() {
        let count = disk.kept.countBytes
        guard count > 0 else { return }
        if cache.hasNoBytes, disk.older.isEmpty {
            disk.kept = PayloadArena()
            return
        }
        let needed = cache.keptBytes + disk.older.extents.reduce(0) { $0 + $1.data.countBytes }
        guard count > Self.wasteLimitBytes, count > 2 * needed else { return }
        let (old, new) = (disk.kept, PayloadArena())
        func move(_ payload: Payload) throws -> Payload { try new.store(old.bytes(of: payload)) }
        var moved = cache
        guard (try? moved.moveKept(move)) != nil, let older = try? disk.older.moved(move) else { return }
        (cache, disk.older, disk.kept) = (moved, older, new)
    }
}

/// What the disk holds of a file, where the file beneath a `FaultyStorage` holds newer bytes: those that a failed sync lost
/// stay in that file as long as they are cached, and a trace tells of them as of data that may be lost or not.
///
/// Threading: belongs to the lock of the file.
final class DiskContent: @unchecked Sendable {
    fileprivate(set) var older = ExtentMap()
    fileprivate(set) var kept = PayloadArena()

    /// The disk's bytes, where the file beneath holds `bytes` from `offset` on.
    fileprivate func over(_ bytes: [UInt8], at offset: UInt64) -> [UInt8] {
        guard !older.isEmpty else { return bytes }
        var bytes = bytes
        for run in older.slice(offset..<offset + UInt64(bytes.count)) {
            let place = Int(run.offsetBytes - offset)
            bytes.replaceSubrange(place..<place + Int(run.data.countBytes), with: self.bytes(of: run.data))
        }
        return bytes
    }

    fileprivate func bytes(of payload: Payload) -> [UInt8] {
        do { return try kept.bytes(of: payload) } catch {
            preconditionFailure("a payload lies in the arena that kept it")
        }
    }

    fileprivate func covers(_ range: Range<UInt64>) -> Bool {
        older.slice(range).reduce(0) { $0 + $1.data.countBytes } == UInt64(range.count)
    }
}

/// A file beneath a `FaultyStorage`, as its page cache sees it.
struct CachedFile: PageCacheBacking {
    let file: any StorageFile
    fileprivate let disk: DiskContent

    func sizeBytes() throws(StorageError) -> UInt64 { try file.length() }

    func read(_ range: Range<UInt64>) throws(StorageError) -> [UInt8] {
        disk.over(try file.read(countBytes: range.count, at: range.lowerBound), at: range.lowerBound)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try file.write(bytes, at: offsetBytes)
        let (end, overflow) = offsetBytes.addingReportingOverflow(UInt64(bytes.count))
        if !overflow { forgetLost(offsetBytes..<end) }
        return bytes.count
    }

    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        let range = offsetBytes..<offsetBytes + UInt64(bytes.count)
        defer { forgetLost(range) }
        // Lost bytes whose page is dirty again are in the file still.
        if disk.covers(range), try file.read(countBytes: bytes.count, at: offsetBytes) == bytes { return }
        try file.write(bytes, at: offsetBytes)
    }

    func putBack(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        disk.older.write(disk.kept.store(bytes), at: offsetBytes)
    }

    func resize(to sizeBytes: UInt64) throws(StorageError) {
        try file.truncate(to: sizeBytes)
        forgetLost(sizeBytes..<UInt64.max)
    }

    /// The disk holds what the file holds there.
    private func forgetLost(_ range: Range<UInt64>) {
        if !disk.older.isEmpty { disk.older.zero(range) }
    }

    func keep(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Payload { disk.kept.store(bytes) }

    func kept(_ payload: Payload) throws(StorageError) -> [UInt8] { disk.bytes(of: payload) }
}
