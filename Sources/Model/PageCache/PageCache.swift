/// The page cache over one file of a storage that fails by rules: where what programs read is not what the file holds.
///
/// The backing file is what storage holds, always. Over it lies what programs see:
/// - writes that a rule holds back until the next barrier;
/// - bytes that a failed fsync lost, whose pages are marked clean and still cached;
/// - and, beneath nothing, what bytes were before they were last written, for stale reads.
///
/// Writing into a page makes all of it dirty: what was lost of it goes to the file with it. What a sync that loses data
/// takes back is for the caller to say, from a trace, or from what the cache keeps on request (`Keeping.saved`).
///
/// Pure: the `PageCacheBacking` reads and writes. Threading: a value; the caller locks.
///
/// Not modelled: pages that the kernel evicts by itself. They stay until `evict`.
package struct PageCache: Sendable {
    /// A write that waits for the file's next barrier.
    package struct HeldWrite: Sendable {
        package var rank: UInt64
        package var offsetBytes: UInt64
        package var data: Payload

        package var range: Range<UInt64> { offsetBytes..<offsetBytes + data.countBytes }
    }

    /// What must be remembered of bytes that change.
    package struct Keeping: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// What programs saw before, for stale reads.
        package static let older = Keeping(rawValue: 1)
        /// What the last good sync saved, for syncs that lose data.
        package static let saved = Keeping(rawValue: 2)
    }

    package private(set) var held: [HeldWrite] = []
    /// What programs see and the file does not hold.
    package private(set) var seen = ExtentMap()
    /// Before the last write of each byte.
    private var older = ExtentMap()
    /// At the last good sync, where the file changed since.
    var saved = SavedContent()
    package var errors = WritebackErrors()

    package static let pageBytes: UInt64 = 4096
    /// How much is read at once.
    private static let chunkBytes: UInt64 = 1 << 20

    package init() {}

    /// Whether programs see what the file holds, and nothing else is remembered of its bytes.
    package var hasNoBytes: Bool { held.isEmpty && seen.isEmpty && older.isEmpty && saved.isEmpty }

    // MARK: - Reading

    /// Puts over a buffer, which the file's bytes from `offset` on were read into, what programs see of them.
    package func overlay<Backing: PageCacheBacking>(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) {
        try Self.overlay(seen, buffer, at: offset, backing)
    }

    /// The same with what the bytes were before they were last written, where that is known.
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
            let place = Int(run.offsetBytes - offset)
            let part = buffer[place..<place + Int(run.data.countBytes)]
            UnsafeMutableRawBufferPointer(rebasing: part).copyBytes(from: try backing.kept(run.data))
        }
    }

    /// Gives the file's bytes of a range, as far as it goes, in pieces.
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

    /// Writes to the file; programs see it at once. Returns how many bytes the file took.
    package mutating func write<Backing: PageCacheBacking>(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        // A file that long is for the backing to refuse.
        guard !overflow else { return try backing.write(bytes, at: offset) }
        try willChange(offset..<end, backing, keeping)
        let count = try backing.write(bytes, at: offset)
        try wrote(offset..<offset + UInt64(count), backing, keeping)
        return count
    }

    /// Holds a write back: programs see it, the file does not have it.
    package mutating func hold<Backing: PageCacheBacking>(
        rank: UInt64, _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        guard !bytes.isEmpty else { return }
        if keeping.contains(.older) { try keepOlder(offset..<offset + UInt64(bytes.count), backing) }
        let data = try backing.keep(bytes)
        held.append(HeldWrite(rank: rank, offsetBytes: offset, data: data))
        seen.write(data, at: offset)
    }

    /// Changes the file without programs' doing, as a disk does that rots: what covers the bytes goes on covering them.
    package mutating func writeBeneath<Backing: PageCacheBacking>(
        _ bytes: [UInt8], at offset: UInt64, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        if keeping.contains(.saved) { try saved.keep(offset..<offset + UInt64(bytes.count), backing) }
        try backing.writeAll(bytes, at: offset)
    }

    private mutating func willChange<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        guard !range.isEmpty else { return }
        if keeping.contains(.older) { try keepOlder(range, backing) }
        if keeping.contains(.saved) { try saved.keep(range, backing) }
    }

    private mutating func keepOlder<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        older.zero(range)
        try forEachPiece(of: range, backing) { place, stored throws(Backing.Failure) in
            let bytes = try covered(stored, at: place, backing)
            older.write(try backing.keep(bytes), at: place)
        }
    }

    /// What programs see of bytes that the file holds.
    private func covered<Backing: PageCacheBacking>(
        _ stored: [UInt8], at offset: UInt64, _ backing: Backing
    ) throws(Backing.Failure) -> [UInt8] {
        var bytes = stored
        for run in seen.slice(offset..<offset + UInt64(stored.count)) {
            let place = Int(run.offsetBytes - offset)
            bytes.replaceSubrange(place..<place + Int(run.data.countBytes), with: try backing.kept(run.data))
        }
        return bytes
    }

    /// Programs see the file's bytes of a range that was written; what was lost of its pages is written with them.
    private mutating func wrote<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        seen.zero(range)
        guard !range.isEmpty, !seen.isEmpty else { return }
        let last = (range.upperBound - 1) / Self.pageBytes
        let pages = range.lowerBound / Self.pageBytes * Self.pageBytes..<(last + 1) * Self.pageBytes
        let held = heldRanges
        for run in seen.slice(pages) {
            for part in RangeSet(run.offsetBytes..<run.endBytes).subtracting(held).ranges {
                let data = run.data.slice(part.lowerBound - run.offsetBytes, count: UInt64(part.count))
                if keeping.contains(.saved) { try saved.keep(part, backing) }
                try backing.writeAll(try backing.kept(data), at: part.lowerBound)
                seen.zero(part)
            }
        }
    }

    // MARK: - Sizes

    /// Makes the file as long as a write that did not reach it would have.
    package mutating func extend<Backing: PageCacheBacking>(
        toCover offset: UInt64, _ count: UInt64, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard try backing.sizeBytes() < end || overflow else { return }
        try willResize(to: overflow ? .max : end, backing, keeping)
        try backing.resize(to: overflow ? .max : end)
    }

    /// Before the file's size changes.
    package mutating func willResize<Backing: PageCacheBacking>(
        to sizeBytes: UInt64, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        guard keeping.contains(.saved) else { return }
        try saved.keepSize(backing)
        let present = try backing.sizeBytes()
        if sizeBytes < present { try saved.keep(sizeBytes..<present, backing) }
    }

    /// The bytes of a range were cut off or zeroed, for programs and the file alike.
    package mutating func forget(_ range: Range<UInt64>) {
        seen.zero(range)
        older.zero(range)
    }

    // MARK: - Writing back

    /// The held write that is due next; nil when none is left.
    package var nextHeld: HeldWrite? { held.min { $0.rank < $1.rank } }

    /// Writes a held write to the file, over whatever came there meanwhile; programs go on seeing the newest bytes.
    package mutating func release<Backing: PageCacheBacking>(
        _ write: HeldWrite, _ backing: Backing, _ keeping: Keeping
    ) throws(Backing.Failure) {
        try keepSeen(write.range, backing)
        if keeping.contains(.saved) { try saved.keep(write.range, backing) }
        try backing.writeAll(try backing.kept(write.data), at: write.offsetBytes)
        held.removeAll { $0.data == write.data }
        if held.isEmpty { try dropEqual(backing) }
    }

    /// Before the file loses what programs see of a range: they go on seeing it.
    package mutating func keepSeen<Backing: PageCacheBacking>(
        _ range: Range<UInt64>, _ backing: Backing
    ) throws(Backing.Failure) {
        var rest = RangeSet(range)
        for run in seen.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            try forEachPiece(of: part, backing) { place, bytes throws(Backing.Failure) in
                seen.write(try backing.keep(bytes), at: place)
            }
        }
    }

    /// Forgets what programs see where the file holds the same.
    private mutating func dropEqual<Backing: PageCacheBacking>(_ backing: Backing) throws(Backing.Failure) {
        for run in seen.extents {
            try forEachPiece(of: run.offsetBytes..<run.endBytes, backing) { place, stored throws(Backing.Failure) in
                let part = run.data.slice(place - run.offsetBytes, count: UInt64(stored.count))
                if try backing.kept(part) == stored { seen.zero(place..<place + UInt64(stored.count)) }
            }
        }
    }

    /// Programs see what the file holds, as when memory got short. Dirty pages are not evicted: nothing happens while a
    /// write is held back. False then, and when nothing changes.
    @discardableResult
    package mutating func evict() -> Bool {
        guard held.isEmpty, !seen.isEmpty else { return false }
        seen = ExtentMap()
        return true
    }

    /// How many bytes are held back, and how many are seen that no storage holds.
    package var counts: (heldBytes: UInt64, lostBytes: UInt64) {
        let held = heldRanges
        var lost = RangeSet(seen.extents.map { $0.offsetBytes..<$0.endBytes })
        lost.subtract(held)
        func sum(_ set: RangeSet<UInt64>) -> UInt64 { set.ranges.reduce(0) { $0 + UInt64($1.count) } }
        return (sum(held), sum(lost))
    }

    private var heldRanges: RangeSet<UInt64> { held.reduce(into: RangeSet()) { $0.insert(contentsOf: $1.range) } }

    // MARK: - Kept bytes

    /// How many bytes the backing keeps for this.
    package var keptBytes: UInt64 {
        let mapped = [seen, older, saved.bytes].reduce(0) { sum, map in
            map.extents.reduce(sum) { $0 + $1.data.countBytes }
        }
        return held.reduce(mapped) { $0 + $1.data.countBytes }
    }

    /// Names all kept bytes anew: for a backing that wants to be rid of those that nobody needs any more.
    package mutating func moveKept<Failure: Error>(
        _ move: (Payload) throws(Failure) -> Payload
    ) throws(Failure) {
        for index in held.indices { held[index].data = try move(held[index].data) }
        seen = try seen.moved(move)
        older = try older.moved(move)
        saved.bytes = try saved.bytes.moved(move)
    }
}
