import Bytes
import Model

/// The page cache over a file of a `FaultyStorage`, with the bytes that only the cache has. Every call is made with the
/// lock of the file held.
struct CachedContent {
    private(set) var cache = PageCache()
    private var kept = PayloadArena()

    /// The kept bytes that nobody needs any more may be so many, and as many as the others.
    private static let wasteLimitBytes: UInt64 = 1 << 20

    /// Reads, or changes, what programs see of `file`.
    mutating func withCache<Result>(
        _ file: any StorageFile,
        _ body: (inout PageCache, CachedFile) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        defer { dropWaste() }
        return try body(&cache, CachedFile(file: file, arena: kept))
    }

    /// How much memory the bytes that only the cache has take up.
    var keptBytes: UInt64 { kept.countBytes }

    mutating func evict() {
        cache.evict()
        dropWaste()
    }

    private mutating func dropWaste() {
        let count = kept.countBytes
        guard count > 0 else { return }
        if cache.hasNoBytes {
            kept = PayloadArena()
            return
        }
        guard count > Self.wasteLimitBytes, count > 2 * cache.keptBytes else { return }
        let (old, new) = (kept, PayloadArena())
        var moved = cache
        guard (try? moved.moveKept { try new.store(old.bytes(of: $0)) }) != nil else { return }
        (cache, kept) = (moved, new)
    }
}

/// A file beneath a `FaultyStorage`, as its page cache sees it.
struct CachedFile: PageCacheBacking {
    let file: any StorageFile
    fileprivate let arena: PayloadArena

    func sizeBytes() throws(StorageError) -> UInt64 { try file.length() }

    func read(_ range: Range<UInt64>) throws(StorageError) -> [UInt8] {
        try file.read(countBytes: range.count, at: range.lowerBound)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        try file.write(bytes, at: offsetBytes)
        return bytes.count
    }

    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(StorageError) {
        try file.write(bytes, at: offsetBytes)
    }

    func resize(to sizeBytes: UInt64) throws(StorageError) { try file.truncate(to: sizeBytes) }

    func keep(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Payload { arena.store(bytes) }

    func kept(_ payload: Payload) throws(StorageError) -> [UInt8] {
        do { return try arena.bytes(of: payload) } catch {
            preconditionFailure("a payload lies in the arena that kept it")
        }
    }
}
