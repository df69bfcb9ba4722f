import CPlatform
import Glibc
import Model

/// The contents of files as they were when the tree was mounted: the base, to which a power cut may lead back.
///
/// A base content is named by a payload in an address space of its own, far above any trace's. Nothing is read when
/// the tree is mounted. Before a page of a base content is overwritten or cut off for the first time, it is put aside;
/// what was never touched is still where it was.
///
/// Threading: one lock. `keep…` run within a turn of the recorder, before the call below that destroys.
final class UndoStore: PayloadStore, @unchecked Sendable {
    /// Payloads from here on are base contents.
    static let firstBase = UInt64(1) << 62
    private static let pageBytes: UInt64 = 4096
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4
    /// How much is read at once.
    private static let chunkBytes: UInt64 = 1 << 20

    private struct Base {
        var inode: InodeID
        var start: UInt64
        var sizeBytes: UInt64
        /// Bytes from here on are no longer where they were; those that were not zeros have been kept.
        var intactBytes: UInt64
        /// Where kept pages are in the scratch file, by page number.
        var kept: [UInt64: UInt64] = [:]
    }

    private let scratch: ScratchFile
    private let lock = Lock()
    private var bases: [Base] = []
    private var places: [InodeID: Int] = [:]
    /// No file from here on was there when the tree was mounted. Does not change any more once there are changes to undo.
    private var firstNew = InodeID(0)
    private var nextStart = UndoStore.firstBase
    /// Opens what is left of an inode's content; set once, by the filesystem.
    private let open: @Sendable (InodeID) throws(Errno) -> Descriptor

    /// `open` gives a readable descriptor of an inode.
    init(scratch: ScratchFile, open: @escaping @Sendable (InodeID) throws(Errno) -> Descriptor) {
        self.scratch = scratch
        self.open = open
    }

    /// Names the content of a file, as it is now.
    func base(of inode: InodeID, sizeBytes: UInt64) -> Payload {
        lock.withLock {
            defer { nextStart += sizeBytes }
            if sizeBytes > 0 {
                places[inode] = bases.count
                firstNew = max(firstNew, InodeID(inode.rawValue + 1))
                bases.append(Base(inode: inode, start: nextStart, sizeBytes: sizeBytes, intactBytes: sizeBytes))
            }
            return Payload(offsetBytes: nextStart, countBytes: sizeBytes)
        }
    }

    /// Keeps what a write, or a hole punched, is about to destroy.
    func keepRange(of inode: InodeID, _ descriptor: Descriptor, _ offset: UInt64, _ length: UInt64) throws(Errno) {
        guard inode < firstNew else { return }
        try lock.withLock { () throws(Errno) in
            guard let place = places[inode], offset < bases[place].intactBytes else { return }
            let end = min(offset.addingReportingOverflow(length).partialValue, bases[place].intactBytes)
            guard offset < end else { return }
            try keep(place, descriptor, offset / Self.pageBytes...(end - 1) / Self.pageBytes)
        }
    }

    /// Keeps what a truncation is about to cut off.
    func keepTail(of inode: InodeID, _ descriptor: Descriptor, from offset: UInt64) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard let place = places[inode], offset < bases[place].intactBytes else { return }
            var position = offset
            // Holes are not worth copying: what is neither intact nor kept reads as zeros.
            while position < bases[place].intactBytes {
                let data = faultline_lseek(descriptor.number, off_t(position), Self.seekData)
                if data == -off_t(ENXIO) { break }
                let start = try UInt64(Errno.check(data))
                guard start < bases[place].intactBytes else { break }
                let hole = try UInt64(Errno.check(faultline_lseek(descriptor.number, off_t(start), Self.seekHole)))
                let end = min(hole, bases[place].intactBytes)
                try keep(place, descriptor, start / Self.pageBytes...(end - 1) / Self.pageBytes)
                position = end
            }
            // The page that is cut in two reads as kept, if it is kept.
            bases[place].intactBytes = offset
        }
    }

    private func keep(_ place: Int, _ descriptor: Descriptor, _ pages: ClosedRange<UInt64>) throws(Errno) {
        var page = pages.lowerBound
        while page <= pages.upperBound {
            if bases[place].kept[page] != nil {
                page += 1
                continue
            }
            var end = page + 1
            while end <= pages.upperBound, (end - page) * Self.pageBytes < Self.chunkBytes,
                bases[place].kept[end] == nil
            {
                end += 1
            }
            let start = page * Self.pageBytes
            let count = min((end - page) * Self.pageBytes, bases[place].sizeBytes - start)
            let intact = min(count, bases[place].intactBytes - start)
            let kept = try copy(descriptor, start, Int(count), intact: Int(intact))
            for copied in page..<end {
                bases[place].kept[copied] = kept.offsetBytes + (copied - page) * Self.pageBytes
            }
            page = end
        }
    }

    /// Puts `count` bytes aside, of which the first `intact` are in the file and the rest are zeros.
    private func copy(_ descriptor: Descriptor, _ start: UInt64, _ count: Int, intact: Int) throws(Errno) -> Payload {
        // Not the thread's buffer: a read that flips a bit at rest is filling that one.
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < intact {
            let got = try Errno.check(
                faultline_pread(descriptor.number, buffer + done, intact - done, off_t(start) + off_t(done)))
            if got == 0 { break }
            done += got
        }
        if done < count { memset(buffer + done, 0, count - done) }
        return try scratch.append(UnsafeRawBufferPointer(start: buffer, count: count))
    }

    // MARK: Reading

    func bytes(of payload: Payload) throws -> [UInt8] {
        try lock.withLock {
            guard payload.countBytes > 0 else { return [] }
            guard let base = base(holding: payload.offsetBytes) else { throw Errno(EINVAL) }
            let offset = payload.offsetBytes - base.start
            guard offset + payload.countBytes <= base.sizeBytes else { throw Errno(EINVAL) }
            var bytes = [UInt8](repeating: 0, count: Int(payload.countBytes))
            var left: Descriptor?
            var done: UInt64 = 0
            while done < payload.countBytes {
                let position = offset + done
                let (page, within) = position.quotientAndRemainder(dividingBy: Self.pageBytes)
                var count = min(Self.pageBytes - within, payload.countBytes - done)
                if let kept = base.kept[page] {
                    let part = Int(done)..<Int(done + count)
                    let aside = Payload(offsetBytes: kept + within, countBytes: count)
                    try bytes.withUnsafeMutableBytes { bytes in
                        try scratch.read(aside, into: UnsafeMutableRawBufferPointer(rebasing: bytes[part]))
                    }
                } else if position < base.intactBytes {
                    let descriptor = try left ?? open(base.inode)
                    left = descriptor
                    count = min(count, base.intactBytes - position)
                    try read(descriptor, at: position, into: &bytes, Int(done), Int(count))
                }
                done += count
            }
            return bytes
        }
    }

    private func base(holding offset: UInt64) -> Base? {
        var low = 0
        var high = bases.count
        while low < high {
            let middle = (low + high) / 2
            if bases[middle].start <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? bases[low - 1] : nil
    }

    private func read(
        _ descriptor: Descriptor, at offset: UInt64, into bytes: inout [UInt8], _ start: Int, _ count: Int
    ) throws {
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                faultline_pread(
                    descriptor.number, $0.baseAddress! + start + done, count - done, off_t(offset) + off_t(done))
            }
            if try Errno.check(got) == 0 { break }
            done += got
        }
    }
}
