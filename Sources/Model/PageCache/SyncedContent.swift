/// The content of a file at its last successful sync, where it has changed since.
struct SyncedContent: Sendable {
    var bytes = ExtentMap()
    /// nil if the size has not changed.
    var sizeBytes: UInt64?

    var isEmpty: Bool { bytes.isEmpty && sizeBytes == nil }

    /// Must be called before the size changes.
    mutating func keepSize<Backing: PageCacheBacking>(_ backing: Backing) throws(Backing.Failure) {
        if sizeBytes == nil { sizeBytes = try backing.sizeBytes() }
    }

    /// Must be called before the bytes of a range change.
    mutating func keep<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        try keepSize(backing)
        var rest = RangeSet(range)
        for run in bytes.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            let stored = try backing.read(part)
            // Zeros are stored like other bytes: a range that is missing in this map has not changed.
            let zeros = [UInt8](repeating: 0, count: part.count - stored.count)
            bytes.write(try backing.keep(stored + zeros), at: part.lowerBound)
        }
    }

    /// Adds the content of an earlier sync. Where both have bytes, the earlier ones win.
    mutating func add(earlier: SyncedContent) {
        for run in earlier.bytes.extents { bytes.write(run.data, at: run.offsetBytes) }
        sizeBytes = earlier.sizeBytes ?? sizeBytes
    }
}
