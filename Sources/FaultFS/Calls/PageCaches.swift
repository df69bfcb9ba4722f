import Model
import Platform
import Synchronization

/// The page caches of files whose visible bytes differ from storage, or of which a sync lost data.
///
/// They end with the mount. The kernel's cache agrees with them: it holds only bytes that were read or written here.
///
/// Threading: one lock, held while such a file is read or changed. Lock order: the recorder's turn, then this lock.
/// Without such files a call reads a single counter.
final class PageCaches: @unchecked Sendable {
    private let lock = Lock()
    private var caches: [InodeID: PageCache] = [:]
    /// The number of caches that have bytes of their own.
    private let count = Atomic<Int>(0)
    private let hasErrors = Atomic<Bool>(false)
    /// Drops an inode's pages from the kernel's cache; set before the first request.
    var invalidate: @Sendable (InodeID) -> Void = { _ in }

    /// Whether programs see exactly what storage holds, in all files.
    @inline(__always)
    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// Changes the cache of a file, and possibly the file.
    @discardableResult
    func change<Result, Failure: Error>(
        _ id: InodeID, _ body: (inout PageCache) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        // Removed from the dictionary, so that it is changed in place and not copied.
        var cache = caches.removeValue(forKey: id) ?? PageCache()
        let hadBytes = !cache.hasNoBytes
        defer {
            let hasBytes = !cache.hasNoBytes
            if hasBytes || !cache.errors.isEmpty { caches[id] = cache }
            if hadBytes != hasBytes { count.add(hasBytes ? 1 : -1, ordering: .releasing) }
            if !cache.errors.isEmpty { hasErrors.store(true, ordering: .releasing) }
        }
        return try body(&cache)
    }

    /// Reads the cache of a file under the lock.
    func withCache<Result, Failure: Error>(
        _ id: InodeID, _ body: (PageCache) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(caches[id] ?? PageCache())
    }

    func hasOlderBytes(_ id: InodeID, _ range: Range<UInt64>) -> Bool {
        lock.withLock { caches[id]?.hasOlderBytes(range) ?? false }
    }

    /// Drops cached bytes of a range that was truncated or zeroed.
    func forget(_ id: InodeID, _ range: Range<UInt64>) {
        guard !isEmpty else { return }
        change(id) { $0.forget(range) }
    }

    /// The files with held writes.
    var filesWithHeld: [InodeID] { lock.withLock { caches.filter { !$0.value.held.isEmpty }.map(\.key).sorted() } }

    /// Drops all clean pages, as under memory pressure. Held writes stay.
    func evictAll() {
        let ids = lock.withLock { caches.keys.sorted() }
        for id in ids where change(id, { $0.evict() }) { invalidate(id) }
    }

    /// For each file: the held bytes, and the bytes that programs see and storage has lost.
    var counts: [(id: InodeID, heldBytes: UInt64, lostBytes: UInt64)] {
        lock.withLock {
            caches.sorted { $0.key < $1.key }.map { ($0, $1.counts.heldBytes, $1.counts.lostBytes) }
        }
    }

    // MARK: Errors

    /// The errno of a failed sync that this open file has not reported yet. Marks it as reported.
    func takeUnreportedError(of file: OpenFile) -> Int32? {
        guard hasErrors.load(ordering: .acquiring) else { return nil }
        return lock.withLock { caches[file.node.id]?.errors.report(to: &file.reportedErrors)?.error.rawValue }
    }

    /// Call on open: a file opened after a failed sync does not report that failure.
    func opened(_ file: OpenFile) {
        guard hasErrors.load(ordering: .acquiring) else { return }
        lock.withLock { if let errors = caches[file.node.id]?.errors { file.reportedErrors = errors.now } }
    }
}
