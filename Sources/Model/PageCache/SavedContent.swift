/// What a file held at its last good sync, where it changed since.
struct SavedContent: Sendable {
    var bytes = ExtentMap()
    /// nil while the size is the same.
    var sizeBytes: UInt64?

    var isEmpty: Bool { bytes.isEmpty && sizeBytes == nil }

    /// Before the size changes.
    mutating func keepSize<Backing: PageCacheBacking>(_ backing: Backing) throws(Backing.Failure) {
        if sizeBytes == nil { sizeBytes = try backing.sizeBytes() }
    }

    /// Before the bytes of a range change.
    mutating func keep<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        try keepSize(backing)
        var rest = RangeSet(range)
        for run in bytes.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            let stored = try backing.read(part)
            // Zeros are bytes, too: what this map does not cover did not change.
            let zeros = [UInt8](repeating: 0, count: part.count - stored.count)
            bytes.write(try backing.keep(stored + zeros), at: part.lowerBound)
        }
    }

    /// Adds what an earlier state had of bytes; where both know them, the earlier one is right.
    mutating func add(earlier: SavedContent) {
        for run in earlier.bytes.extents { bytes.write(run.data, at: run.offsetBytes) }
        sizeBytes = earlier.sizeBytes ?? sizeBytes
    }
}
