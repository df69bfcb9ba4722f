/// The ranges of a file that have changed since its last successful sync, with their content at that sync.
struct SyncedContent: Sendable {
    var bytes = ExtentMap()
    /// The size at that sync; nil if it has not changed.
    var sizeBytes: UInt64?

    var isEmpty: Bool { bytes.isEmpty && sizeBytes == nil }

    /// Saves the size unless it is saved already. Call this before the size changes.
    mutating func keepSize<Backing: PageCacheBacking>(_ backing: Backing) throws(Backing.Failure) {
        if sizeBytes == nil { sizeBytes = try backing.sizeBytes() }
    }

    /// Saves the bytes of a range that are not saved yet. Call this before they change.
    mutating func keep<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        try keepSize(backing)
        var rest = RangeSet(range)
        for run in bytes.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            let stored = try backing.read(part)
            // Store zeros like other bytes: a range that is missing from this map counts as unchanged.
            let zeros = [UInt8](repeating: 0, count: part.count - stored.count)
            bytes.write(try backing.keep(stored + zeros), at: part.lowerBound)
        }
    }

    /// Merges the content of an earlier sync. Where both have bytes or a size, the earlier ones win.
    mutating func add(earlier: SyncedContent) {
        for run in earlier.bytes.extents { bytes.write(run.data, at: run.offsetBytes) }
        sizeBytes = earlier.sizeBytes ?? sizeBytes
    }
}
