import Model

/// An endless stream of events for benchmarks: a log of small records in preallocated segments, with an fdatasync after
/// every 16 records. After 8192 records a new segment replaces the previous one by a rename.
package struct SyntheticLog {
    /// The length of each record. The payloads are consecutive ranges of a data file, which need not exist.
    package let recordBytes: UInt64
    private var id: UInt64 = 0
    private var inode = InodeID(2)
    private var records: UInt64 = 0

    package init(recordBytes: UInt64 = 128) { self.recordBytes = recordBytes }

    /// Passes the events of the next commit to `take`, in order.
    package mutating func commit(_ take: (TraceEvent) throws -> Void) rethrows {
        if records % 8192 == 0 { try rotate(take) }
        for _ in 0..<16 {
            let data = Payload(offsetBytes: records * recordBytes, countBytes: recordBytes)
            try operate(.write(inode, offsetBytes: records % 8192 * recordBytes, data: data), take)
            records += 1
        }
        try sync(.fdatasync(inode), take)
    }

    private mutating func rotate(_ take: (TraceEvent) throws -> Void) rethrows {
        inode = InodeID(inode.rawValue + 1)
        try operate(.create(inode, .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, "next")), take)
        try operate(.allocate(inode, offsetBytes: 0, countBytes: 8192 * recordBytes, .extend), take)
        try sync(.fsync(inode), take)
        try operate(.rename(from: DirectoryEntry(.root, "next"), to: DirectoryEntry(.root, "log"), .replace), take)
        try sync(.fsync(.root), take)
    }

    private mutating func operate(_ change: Change, _ take: (TraceEvent) throws -> Void) rethrows {
        id += 1
        try take(.operation(Operation(id: OperationID(id), change)))
    }

    private mutating func sync(_ barrier: Barrier, _ take: (TraceEvent) throws -> Void) rethrows {
        id += 1
        try take(.barrierBegan(OperationID(id), barrier, process: 1))
        try take(.barrierEnded(OperationID(id), errno: 0))
    }
}
