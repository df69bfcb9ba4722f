import Glibc
import Platform

/// Memory for the content of a file in memory. Released memory may be reused without zeroing: only the part from
/// `usedBytes` on is zero.
struct FileMemory {
    let base: UnsafeMutableRawPointer
    let countBytes: Int
    /// Bytes from here on are zero.
    let usedBytes: Int

    /// From this size on, memory uses huge pages and is kept for the next file when it is released: first-touch page
    /// faults are most of the cost of a large file in memory. The system may reclaim kept memory.
    private static let largeBytes = 4 << 20
    /// Below this size memory is not zeroed in advance: zeroing the needed part later is cheaper.
    private static let smallBytes = 64 << 10

    /// A log needs two: one segment that is written, and one that is still read.
    private static let keptCount = 2
    private static let kept = Guarded<[FileMemory]>([])

    private init(_ base: UnsafeMutableRawPointer, _ countBytes: Int, usedBytes: Int) {
        self.base = base
        self.countBytes = countBytes
        self.usedBytes = usedBytes
    }

    /// Fails when memory is short.
    init?(countBytes: Int) {
        if countBytes < Self.largeBytes {
            let isSmall = countBytes < Self.smallBytes
            guard let memory = isSmall ? malloc(countBytes) : calloc(countBytes, 1) else { return nil }
            self.init(memory, countBytes, usedBytes: isSmall ? countBytes : 0)
            return
        }
        let known = Self.kept.withLock { kept in
            kept.firstIndex { $0.countBytes == countBytes }.map { kept.remove(at: $0) }
        }
        if let known {
            self = known
            return
        }
        let memory = mmap(nil, countBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        _ = madvise(memory, countBytes, MADV_HUGEPAGE)
        self.init(memory, countBytes, usedBytes: 0)
    }

    /// Releases the memory. Its first `usedBytes` may have any value; the rest is zero.
    consuming func release(usedBytes: Int) {
        guard countBytes >= Self.largeBytes else { return free(base) }
        // The system may reclaim these pages; they then read as zeros.
        _ = madvise(base, usedBytes, MADV_FREE)
        let released = FileMemory(base, countBytes, usedBytes: usedBytes)
        let given = Self.kept.withLock { kept -> FileMemory? in
            kept.append(released)
            return kept.count > Self.keptCount ? kept.removeFirst() : nil
        }
        if let given { munmap(given.base, given.countBytes) }
    }
}
