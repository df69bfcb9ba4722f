/// The page cache over one file with injected faults. Programs read the cache, which may differ from the file.
///
/// The backing file always holds the content of the storage. The cache overlays:
/// - writes that a rule holds back until the next barrier;
/// - bytes that a failed fsync lost, whose pages are marked clean and still cached.
/// It also keeps the bytes before the last write, for stale reads.
///
/// A write makes its whole pages dirty: lost bytes of these pages are written to the file with it. When a sync loses data,
/// the caller says which bytes are reverted: from a trace, or from the content that the cache keeps (`Retention.synced`).
///
/// Pure: the `PageCacheBacking` does the I/O. Threading: a value; the caller locks.
///
/// Not modelled: eviction by the kernel. Pages stay cached until `evict`.
package struct PageCache: Sendable {
    /// A write held back until the file's next barrier.
    package struct HeldWrite: Sendable {
        package var rank: UInt64
        package var offsetBytes: UInt64
        package var data: Payload

        package var range: Range<UInt64> { offsetBytes..<offsetBytes + data.countBytes }
    }

    /// Which old bytes a change must keep.
    package struct Retention: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// The bytes that programs saw before, for stale reads.
        package static let older = Retention(rawValue: 1)
        /// The content at the last successful sync, for syncs that lose data.
        package static let synced = Retention(rawValue: 2)
    }

    package private(set) var held: [HeldWrite] = []
    /// The bytes that programs see instead of the file's.
    package private(set) var visible = ExtentMap()
    /// The bytes before the last write of each.
    private var older = ExtentMap()
    /// The content at the last successful sync, where the file has changed since.
    var synced = SyncedContent()
    package var errors = WritebackErrors()

    package static let pageBytes: UInt64 = 4096
    /// The size of one read from the backing file.
    private static let chunkBytes: UInt64 = 1 << 20

    package init() {}

    /// Whether the cache keeps no bytes: programs see the file's bytes.
    package var hasNoBytes: Bool { held.isEmpty && visible.isEmpty && older.isEmpty && synced.isEmpty }

    // MARK: - Reading

    /// Replaces bytes in `buffer`, which holds the file's bytes from `offset`, by those that programs see.
    package func overlay<Backing: PageCacheBacking>(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) {
        try Self.overlay(visible, buffer, at: offset, backing)
    }

    /// The same with the bytes before the last write, where these are known.
    package func overlayOlder<Backing: PageCacheBacking>(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) {
        try Self.overlay(older, buffer, at: offset, backing)
    }

    package func hasOlderBytes(_ range: Range<UInt64>) -> Bool { !older.slice(range).isEmpty }

    private static func overlay<Backing: PageCacheBacking>(
        _ map: ExtentMap, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(buffer.count))
        guard !map.isEmpty, !overflow else { return }
        for run in map.slice(offset..<end) {
            let position = Int(run.offsetBytes - offset)
            let part = buffer[position..<position + Int(run.data.countBytes)]
            UnsafeMutableRawBufferPointer(rebasing: part).copyBytes(from: try backing.kept(run.data))
        }
    }

    /// Passes the file's bytes of a range to `body` in chunks, up to the end of the file.
    private func forEachPiece<Backing: PageCacheBacking>(
        of range: Range<UInt64>, _ backing: Backing, _ body: (UInt64, [UInt8]) throws(Backing.Failure) -> Void
    ) throws(Backing.Failure) {
        var position = range.lowerBound
        while position < range.upperBound {
            let bytes = try backing.read(position..<min(position + Self.chunkBytes, range.upperBound))
            if bytes.isEmpty { return }
            try body(position, bytes)
            position += UInt64(bytes.count)
        }
    }

    // MARK: - Writing

    /// Writes to the file; programs see it immediately. Returns how many bytes were written.
    package mutating func write<Backing: PageCacheBacking>(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        // The backing refuses an offset this large.
        guard !overflow else { return try backing.write(bytes, at: offset) }
        try willChange(offset..<end, backing, retention)
        let count = try backing.write(bytes, at: offset)
        try wrote(offset..<offset + UInt64(count), backing, retention)
        return count
    }

    /// Holds a write back: programs see it, the file does not contain it.
    package mutating func hold<Backing: PageCacheBacking>(
        rank: UInt64, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        guard !bytes.isEmpty else { return }
        if retention.contains(.older) { try keepOlder(offset..<offset + UInt64(bytes.count), backing) }
        let data = try backing.keep(bytes)
        held.append(HeldWrite(rank: rank, offsetBytes: offset, data: data))
        visible.write(data, at: offset)
    }

    /// Corrupts the file below the cache, like bit rot on a disk. The cached bytes stay as they are.
    package mutating func writeBeneath<Backing: PageCacheBacking>(
        _ bytes: [UInt8], at offset: UInt64, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        if retention.contains(.synced) { try synced.keep(offset..<offset + UInt64(bytes.count), backing) }
        try backing.writeAll(bytes, at: offset)
    }

    private mutating func willChange<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        guard !range.isEmpty else { return }
        if retention.contains(.older) { try keepOlder(range, backing) }
        if retention.contains(.synced) { try synced.keep(range, backing) }
    }

    private mutating func keepOlder<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        older.zero(range)
        try forEachPiece(of: range, backing) { position, stored throws(Backing.Failure) in
            let bytes = try covered(stored, at: position, backing)
            older.write(try backing.keep(bytes), at: position)
        }
    }

    /// The bytes that programs see instead of `stored`.
    private func covered<Backing: PageCacheBacking>(
        _ stored: [UInt8], at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) -> [UInt8] {
        var bytes = stored
        for run in visible.slice(offset..<offset + UInt64(stored.count)) {
            let position = Int(run.offsetBytes - offset)
            bytes.replaceSubrange(position..<position + Int(run.data.countBytes), with: try backing.kept(run.data))
        }
        return bytes
    }

    /// After a write: programs see the file's bytes in the range. Lost bytes of the same pages are written back with it.
    private mutating func wrote<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        visible.zero(range)
        guard !range.isEmpty, !visible.isEmpty else { return }
        let last = (range.upperBound - 1) / Self.pageBytes
        let pages = range.lowerBound / Self.pageBytes * Self.pageBytes..<(last + 1) * Self.pageBytes
        let held = heldRanges
        for run in visible.slice(pages) {
            for part in RangeSet(run.offsetBytes..<run.endBytes).subtracting(held).ranges {
                let data = run.data.slice(part.lowerBound - run.offsetBytes, count: UInt64(part.count))
                if retention.contains(.synced) { try synced.keep(part, backing) }
                try backing.writeAll(try backing.kept(data), at: part.lowerBound)
                visible.zero(part)
            }
        }
    }

    // MARK: - Sizes

    /// Extends the file as a write of `count` bytes at `offset` would.
    package mutating func extend<Backing: PageCacheBacking>(
        toCover offset: UInt64, _ count: UInt64, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard try backing.sizeBytes() < end || overflow else { return }
        try willResize(to: overflow ? .max : end, backing, retention)
        try backing.resize(to: overflow ? .max : end)
    }

    /// Must be called before the file's size changes.
    package mutating func willResize<Backing: PageCacheBacking>(
        to sizeBytes: UInt64, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        guard retention.contains(.synced) else { return }
        try synced.keepSize(backing)
        let present = try backing.sizeBytes()
        if sizeBytes < present { try synced.keep(sizeBytes..<present, backing) }
    }

    /// Must be called when a range was truncated or zeroed, both in the file and for programs.
    package mutating func forget(_ range: Range<UInt64>) {
        visible.zero(range)
        older.zero(range)
    }

    // MARK: - Writing back

    /// The held write to release next; nil if there is none.
    package var nextHeld: HeldWrite? { held.min { $0.rank < $1.rank } }

    /// Writes a held write to the file, over later writes too. Programs still see the newest bytes.
    package mutating func release<Backing: PageCacheBacking>(
        _ write: HeldWrite, _ backing: Backing, _ retention: Retention
    ) throws(Backing.Failure) {
        try keepVisible(write.range, backing)
        if retention.contains(.synced) { try synced.keep(write.range, backing) }
        try backing.writeAll(try backing.kept(write.data), at: write.offsetBytes)
        held.removeAll { $0.data == write.data }
        if held.isEmpty { try dropEqual(backing) }
    }

    /// Caches the file's bytes of a range that is about to be reverted, so that programs still see them.
    package mutating func keepVisible<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        var rest = RangeSet(range)
        for run in visible.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            try forEachPiece(of: part, backing) { position, bytes throws(Backing.Failure) in
                visible.write(try backing.keep(bytes), at: position)
            }
        }
    }

    /// Drops cached bytes that are equal to the file's.
    private mutating func dropEqual<Backing: PageCacheBacking>(_ backing: Backing) throws(Backing.Failure) {
        for run in visible.extents {
            try forEachPiece(of: run.offsetBytes..<run.endBytes, backing) { position, stored throws(Backing.Failure) in
                let part = run.data.slice(position - run.offsetBytes, count: UInt64(stored.count))
                if try backing.kept(part) == stored { visible.zero(position..<position + UInt64(stored.count)) }
            }
        }
    }

    /// Evicts the clean pages, as under memory pressure: programs see the file's bytes. Dirty pages are not evicted, so that
    /// nothing happens while a write is held back. Returns whether anything changed.
    @discardableResult
    package mutating func evict() -> Bool {
        guard held.isEmpty, !visible.isEmpty else { return false }
        visible = ExtentMap()
        return true
    }

    /// How many bytes are held back, and how many are cached after a failed fsync lost them.
    package var counts: (heldBytes: UInt64, lostBytes: UInt64) {
        let held = heldRanges
        var lost = RangeSet(visible.extents.map { $0.offsetBytes..<$0.endBytes })
        lost.subtract(held)
        func sum(_ set: RangeSet<UInt64>) -> UInt64 { set.ranges.reduce(0) { $0 + UInt64($1.count) } }
        return (sum(held), sum(lost))
    }

    private var heldRanges: RangeSet<UInt64> { held.reduce(into: RangeSet()) { $0.insert(contentsOf: $1.range) } }

    // MARK: - Kept bytes

    /// How many bytes the backing keeps for this cache.
    package var keptBytes: UInt64 {
        let mapped = [visible, older, synced.bytes].reduce(0) { sum, map in
            map.extents.reduce(sum) { $0 + $1.data.countBytes }
        }
        return held.reduce(mapped) { $0 + $1.data.countBytes }
    }

    /// Moves all kept bytes to new payloads, so that the backing can free unused ones.
    package mutating func relocateKept<Failure: Error>(
        _ move: (Payload) throws(Failure) -> Payload
    ) throws(Failure) {
        for index in held.indices { held[index].data = try move(held[index].data) }
        visible = try visible.moved(move)
        older = try older.moved(move)
        synced.bytes = try synced.bytes.moved(move)
    }
}
