import Model
import Synchronization

/// The page caches of the files in which what programs read is not what storage holds, or of which a sync lost data.
///
/// They are gone with the mount. The kernel's own cache only ever holds what was read or written here, so the two agree.
///
/// Threading: one lock, held while such a file is read or changed below; the recorder's turn comes first. Without any
/// such file nothing of it is touched but one counter.
final class PageCaches: @unchecked Sendable {
    private let lock = Lock()
    private var caches: [InodeID: PageCache] = [:]
    /// How many of them have bytes of their own.
    private let count = Atomic<Int>(0)
    private let hasErrors = Atomic<Bool>(false)
    /// Makes the kernel forget the pages of an inode; set before the first request.
    var invalidate: @Sendable (InodeID) -> Void = { _ in }

    /// Whether programs see what storage holds, of each file.
    @inline(__always)
    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// Changes the cache of a file, and perhaps the file.
    @discardableResult
    func change<Result, Failure: Error>(
        _ id: InodeID, _ body: (inout PageCache) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        // Taken out, so that it is changed where it is.
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

    /// Looks at the cache of a file, while nobody changes it.
    func look<Result, Failure: Error>(
        _ id: InodeID, _ body: (PageCache) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(caches[id] ?? PageCache())
    }

    func hasOlderBytes(_ id: InodeID, _ range: Range<UInt64>) -> Bool {
        lock.withLock { caches[id]?.hasOlderBytes(range) ?? false }
    }

    /// The bytes of a range were cut off or zeroed.
    func forget(_ id: InodeID, _ range: Range<UInt64>) {
        guard !isEmpty else { return }
        change(id) { $0.forget(range) }
    }

    /// Every file of which a write is held back.
    var filesWithHeld: [InodeID] { lock.withLock { caches.filter { !$0.value.held.isEmpty }.map(\.key).sorted() } }

    /// Programs see what storage holds, but for files of which a write is held back.
    func evictAll() {
        let ids = lock.withLock { caches.keys.sorted() }
        for id in ids where change(id, { $0.evict() }) { invalidate(id) }
    }

    /// How many bytes of each file are held back, and how many are seen that no storage holds.
    var counts: [(id: InodeID, heldBytes: UInt64, lostBytes: UInt64)] {
        lock.withLock {
            caches.sorted { $0.key < $1.key }.map { ($0, $1.counts.heldBytes, $1.counts.lostBytes) }
        }
    }

    // MARK: Errors

    /// The errno of a sync that lost data, if this open file has not reported it yet; then it has.
    func unreportedError(of file: OpenFile) -> Int32? {
        guard hasErrors.load(ordering: .acquiring) else { return nil }
        return lock.withLock { caches[file.node.id]?.errors.report(to: &file.reportedErrors)?.error.rawValue }
    }

    /// A file that is opened after a loss does not report it.
    func opened(_ file: OpenFile) {
        guard hasErrors.load(ordering: .acquiring) else { return }
        lock.withLock { if let errors = caches[file.node.id]?.errors { file.reportedErrors = errors.now } }
    }
}
