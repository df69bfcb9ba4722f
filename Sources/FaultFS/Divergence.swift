import CPlatform
import Glibc
import Model
import Synchronization

/// Where what programs read is not what storage holds: writes that are held back, and bytes that a sync lost while the
/// page cache still has them. And, for stale reads, what bytes were before they were last written.
///
/// The backing file is what storage holds, always. Over it lies what programs see, as the page cache of a machine lies
/// over its disk; it is gone with the mount, or when it is evicted. The kernel's own cache only ever holds what was read
/// or written here, so the two agree.
///
/// Threading: one lock, held while such a file is read or changed below; the recorder's turn comes first. Without any
/// such file nothing of it is touched but one counter.
final class Divergence: @unchecked Sendable {
    /// A write that waits for the file's next barrier.
    struct Held {
        var rank: UInt64
        var offsetBytes: UInt64
        var data: Payload

        var range: Range<UInt64> { offsetBytes..<offsetBytes + data.countBytes }
    }

    /// One file's. What a map does not cover is as in the backing file.
    struct File {
        fileprivate(set) var held: [Held] = []
        /// What programs see.
        fileprivate var seen = ExtentMap()
        /// Before the last write of each byte.
        fileprivate var older = ExtentMap()

        fileprivate var isEmpty: Bool { held.isEmpty && seen.isEmpty && older.isEmpty }
    }

    private static let pageBytes: UInt64 = 4096
    /// How much is put aside at once.
    private static let chunkBytes = 1 << 20

    private let scratch: ScratchFile
    private let lock = Lock()
    private var files: [InodeID: File] = [:]
    private let count = Atomic<Int>(0)
    /// Makes the kernel forget the pages of an inode; set before the first request.
    var invalidate: @Sendable (InodeID) -> Void = { _ in }

    init(scratch: ScratchFile) { self.scratch = scratch }

    /// Whether there is no such file.
    @inline(__always)
    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    private func change<Result>(
        _ id: InodeID, _ body: (inout File) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        lock.lock()
        defer { lock.unlock() }
        var file = files.removeValue(forKey: id) ?? File()
        defer {
            if !file.isEmpty { files[id] = file }
            count.store(files.count, ordering: .releasing)
        }
        return try body(&file)
    }

    // MARK: Reading

    /// Reads what programs see.
    func read(_ id: InodeID, _ descriptor: Descriptor, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
        throws(Errno) -> Int
    {
        lock.lock()
        defer { lock.unlock() }
        let count = try Self.get(descriptor, buffer, at: offset)
        if let file = files[id] { try overlay(file.seen, buffer, count, at: offset) }
        return count
    }

    /// lseek(2) with SEEK_DATA or SEEK_HOLE in what programs see: a page of which they see something is data.
    func seek(_ id: InodeID, _ descriptor: Descriptor, from offset: UInt64, findsHole: Bool) throws(Errno) -> UInt64 {
        lock.lock()
        defer { lock.unlock() }
        let seen = files[id]?.seen ?? ExtentMap()
        var position = offset
        while true {
            let stored = faultline_lseek(descriptor.number, off_t(position), findsHole ? 4 : 3)
            let page = position / Self.pageBytes * Self.pageBytes
            let next = seen.slice(page..<UInt64.max).first.map {
                max(position, $0.offsetBytes / Self.pageBytes * Self.pageBytes)
            }
            if !findsHole {
                guard let next, stored < 0 || next < UInt64(stored) else { return UInt64(try Errno.check(stored)) }
                return next
            }
            let hole = UInt64(try Errno.check(stored))
            let holePage = hole / Self.pageBytes * Self.pageBytes
            guard !seen.slice(holePage..<holePage + Self.pageBytes).isEmpty else { return hole }
            // The end of the file is a hole, and the last one.
            position = holePage + Self.pageBytes
            if faultline_lseek(descriptor.number, off_t(position), 4) < 0 { return UInt64(try sizeBytes(descriptor)) }
        }
    }

    private func sizeBytes(_ descriptor: Descriptor) throws(Errno) -> Int {
        var attributes = stat()
        try Errno.check(faultline_fstat(descriptor.number, &attributes))
        return Int(attributes.st_size)
    }

    /// Puts over a buffer what the bytes were before they were last written, where that is known.
    func makeStale(_ id: InodeID, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int, at offset: UInt64)
        throws(Errno)
    {
        try lock.withLock { () throws(Errno) in
            if let file = files[id] { try overlay(file.older, buffer, count, at: offset) }
        }
    }

    func hasOlderBytes(_ id: InodeID, _ range: Range<UInt64>) -> Bool {
        lock.withLock { files[id].map { !$0.older.slice(range).isEmpty } ?? false }
    }

    private static func get(_ descriptor: Descriptor, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
        throws(Errno) -> Int
    {
        try Errno.check(
            faultline_pread(descriptor.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    private func overlay(
        _ map: ExtentMap, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int, at offset: UInt64
    ) throws(Errno) {
        for run in map.slice(offset..<offset + UInt64(count)) {
            let place = Int(run.offsetBytes - offset)
            let part = buffer[place..<place + Int(run.data.countBytes)]
            try scratch.read(run.data, into: UnsafeMutableRawBufferPointer(rebasing: part))
        }
    }

    /// Reads what lies under `seen` of a range, as far as the file goes, in chunks.
    private func forEachChunk(
        of range: Range<UInt64>, _ descriptor: Descriptor, under seen: ExtentMap,
        _ body: (UInt64, UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(range.count, Self.chunkBytes), alignment: 16)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let wanted = min(UInt64(buffer.count), range.upperBound - position)
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)])
            let count = try Self.get(descriptor, part, at: position)
            if count == 0 { return }
            try overlay(seen, part, count, at: position)
            try body(position, UnsafeRawBufferPointer(rebasing: part[..<count]))
            position += UInt64(count)
        }
    }

    // MARK: Writing

    /// Before the bytes of a range change for programs: keeps what they were.
    func keepOlder(_ id: InodeID, _ descriptor: Descriptor, _ range: Range<UInt64>) throws(Errno) {
        try change(id) { file throws(Errno) in
            file.older.zero(range)
            try forEachChunk(of: range, descriptor, under: file.seen) { place, bytes throws(Errno) in
                file.older.write(try scratch.append(bytes), at: place)
            }
        }
    }

    /// Holds a write back: programs see it, storage does not have it.
    func hold(_ id: InodeID, rank: UInt64, _ data: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
        try change(id) { file throws(Errno) in
            let payload = try scratch.append(data)
            file.held.append(Held(rank: rank, offsetBytes: offset, data: payload))
            file.seen.write(payload, at: offset)
        }
    }

    /// Runs `body`, which writes to storage what programs see from then on. Writing into a page makes all of it dirty:
    /// what a sync had lost of it goes to storage with it, through `save`.
    func write(
        _ id: InodeID, _ range: Range<UInt64>, _ body: () throws(Errno) -> Void,
        save: (UInt64, [UInt8]) throws(Errno) -> Void
    ) throws(Errno) {
        try change(id) { file throws(Errno) in
            try body()
            file.seen.zero(range)
            guard !range.isEmpty, !file.seen.isEmpty else { return }
            let last = (range.upperBound - 1) / Self.pageBytes
            let pages = range.lowerBound / Self.pageBytes * Self.pageBytes..<(last + 1) * Self.pageBytes
            let held = file.held.reduce(into: RangeSet<UInt64>()) { $0.insert(contentsOf: $1.range) }
            for run in file.seen.slice(pages) {
                for part in RangeSet(run.offsetBytes..<run.endBytes).subtracting(held).ranges {
                    let data = run.data.slice(part.lowerBound - run.offsetBytes, count: UInt64(part.count))
                    try save(part.lowerBound, try bytes(of: data))
                    file.seen.zero(part)
                }
            }
        }
    }

    /// Before storage loses what programs see of a range: they go on seeing it.
    func keepSeen(_ id: InodeID, _ descriptor: Descriptor, _ range: Range<UInt64>) throws(Errno) {
        try change(id) { file throws(Errno) in try keepSeen(&file, descriptor, range) }
    }

    private func keepSeen(_ file: inout File, _ descriptor: Descriptor, _ range: Range<UInt64>) throws(Errno) {
        var rest = RangeSet(range)
        for run in file.seen.slice(range) { rest.remove(contentsOf: run.offsetBytes..<run.endBytes) }
        for part in rest.ranges {
            try forEachChunk(of: part, descriptor, under: ExtentMap()) { place, bytes throws(Errno) in
                file.seen.write(try scratch.append(bytes), at: place)
            }
        }
    }

    /// What lies from here on, or within a range, is gone for programs and storage alike.
    func forget(_ id: InodeID, _ range: Range<UInt64>) {
        guard !isEmpty else { return }
        try? change(id) { file throws(Errno) in
            file.seen.zero(range)
            file.older.zero(range)
        }
    }

    // MARK: Letting go

    /// The held write that is written next; nil when none is left.
    func nextHeld(_ id: InodeID) -> Held? { lock.withLock { files[id]?.held.min { $0.rank < $1.rank } } }

    /// Every file of which a write is held back.
    var filesWithHeld: [InodeID] { lock.withLock { files.filter { !$0.value.held.isEmpty }.map(\.key).sorted() } }

    /// Gives a held write to `body`, which writes it to storage, over whatever came there meanwhile: programs go on
    /// seeing the newest bytes.
    func release(_ id: InodeID, _ write: Held, _ descriptor: Descriptor, _ body: ([UInt8]) throws(Errno) -> Void)
        throws(Errno)
    {
        try change(id) { file throws(Errno) in
            try keepSeen(&file, descriptor, write.range)
            try body(try bytes(of: write.data))
            file.held.removeAll { $0.data == write.data }
            if file.held.isEmpty { try dropEqual(&file, descriptor) }
        }
    }

    /// Forgets what programs see where storage holds the same.
    private func dropEqual(_ file: inout File, _ descriptor: Descriptor) throws(Errno) {
        let seen = file.seen
        for run in seen.extents {
            try forEachChunk(of: run.offsetBytes..<run.endBytes, descriptor, under: ExtentMap()) {
                place, stored throws(Errno) in
                let part = run.data.slice(place - run.offsetBytes, count: UInt64(stored.count))
                let seen = try bytes(of: part)
                let isEqual = seen.withUnsafeBytes { memcmp($0.baseAddress!, stored.baseAddress!, $0.count) == 0 }
                if isEqual { file.seen.zero(place..<place + UInt64(stored.count)) }
            }
        }
    }

    /// Programs see what storage holds, where nothing is held back, as when memory got short.
    func evict() {
        let ids = lock.withLock { files.filter { $0.value.held.isEmpty && !$0.value.seen.isEmpty }.map(\.key) }
        for id in ids {
            evict(id)
            invalidate(id)
        }
    }

    /// The same for one file, of which nothing is held back.
    func evict(_ id: InodeID) {
        try? change(id) { file throws(Errno) in file.seen = ExtentMap() }
    }

    /// How many bytes of each file are held back, and how many are seen that no storage holds.
    var counts: [(id: InodeID, heldBytes: UInt64, lostBytes: UInt64)] {
        lock.withLock {
            files.sorted { $0.key < $1.key }.map { id, file in
                let held = file.held.reduce(into: RangeSet<UInt64>()) { $0.insert(contentsOf: $1.range) }
                var seen = RangeSet(file.seen.extents.map { $0.offsetBytes..<$0.endBytes })
                seen.subtract(held)
                let counts = [held, seen].map { $0.ranges.reduce(0) { $0 + UInt64($1.count) } }
                return (id, counts[0], counts[1])
            }
        }
    }

    private func bytes(of data: Payload) throws(Errno) -> [UInt8] {
        do { return try scratch.bytes(of: data) } catch { throw (error as? Errno) ?? Errno(EIO) }
    }
}
