import Glibc

/// Memory for files in memory. What was given back may be handed out again as it is, so that only so much of it is zero as
/// it says.
struct FileMemory {
    let base: UnsafeMutableRawPointer
    let countBytes: Int
    /// Bytes from here on are zero.
    let usedBytes: Int

    /// From here on memory comes in huge pages where the system has them, and is kept for the next file when it is given
    /// back: most of the cost of a large file in memory is touching its pages for the first time. The system may take back
    /// what is kept.
    private static let largeBytes = 4 << 20
    /// Up to here it costs less to zero what turns out to be needed.
    private static let smallBytes = 64 << 10

    /// A run of segments needs one that is written and one that is still read.
    private static let keptCount = 2
    private static let kept = Guarded<[FileMemory]>([])

    private init(_ base: UnsafeMutableRawPointer, _ countBytes: Int, usedBytes: Int) {
        self.base = base
        self.countBytes = countBytes
        self.usedBytes = usedBytes
    }

    /// Nil when there is no memory for it.
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

    /// Gives the memory back, of which the first `usedBytes` may be anything and the rest is zero.
    consuming func release(usedBytes: Int) {
        guard countBytes >= Self.largeBytes else { return free(base) }
        // The system takes the pages when it needs them; they are zero then.
        _ = madvise(base, usedBytes, MADV_FREE)
        let released = FileMemory(base, countBytes, usedBytes: usedBytes)
        let given = Self.kept.withLock { kept -> FileMemory? in
            kept.append(released)
            return kept.count > Self.keptCount ? kept.removeFirst() : nil
        }
        if let given { munmap(given.base, given.countBytes) }
    }
}
