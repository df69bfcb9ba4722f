import CPlatform
import Glibc
import Model
import Platform

/// The base contents: the file contents at mount time, which a power cut may have to restore.
///
/// A base content is a payload at offsets far above those of any trace. Mounting reads nothing. A page is saved before
/// the first change that overwrites or truncates it; unchanged pages are read from the file.
///
/// Threading: one lock. Call `save…` within a turn of the recorder, before the backing call that destroys the bytes.
final class UndoStore: PayloadStore, @unchecked Sendable {
    /// Payload offsets from here on are base contents.
    static let firstBase = UInt64(1) << 62
    private static let pageBytes: UInt64 = 4096
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4
    /// The largest single read.
    private static let chunkBytes: UInt64 = 1 << 20

    private struct Base {
        var inode: InodeID
        var start: UInt64
        var sizeBytes: UInt64
        /// Bytes from here on are no longer in the file; those that were not zeros were saved.
        var intactBytes: UInt64
        /// The scratch file offsets of saved pages, by page number.
        var saved: [UInt64: UInt64] = [:]
    }

    private let scratch: ScratchFile
    private let lock = Lock()
    private var bases: [Base] = []
    private var indexes: [InodeID: Int] = [:]
    /// Inodes from here on have no base content. Fixed before the first change.
    private var firstNew = InodeID(0)
    private var nextStart = UndoStore.firstBase
    private let open: @Sendable (InodeID) throws(Errno) -> SharedDescriptor

    /// - Parameter open: returns a readable descriptor of an inode.
    init(scratch: ScratchFile, open: @escaping @Sendable (InodeID) throws(Errno) -> SharedDescriptor) {
        self.scratch = scratch
        self.open = open
    }

    /// Registers the current content of a file and returns its payload.
    func base(of inode: InodeID, sizeBytes: UInt64) -> Payload {
        lock.withLock {
            defer { nextStart += sizeBytes }
            if sizeBytes > 0 {
                indexes[inode] = bases.count
                firstNew = max(firstNew, InodeID(inode.rawValue + 1))
                bases.append(Base(inode: inode, start: nextStart, sizeBytes: sizeBytes, intactBytes: sizeBytes))
            }
            return Payload(offsetBytes: nextStart, countBytes: sizeBytes)
        }
    }

    /// Saves the range that a write or a punched hole is about to destroy.
    func saveRange(of inode: InodeID, _ descriptor: SharedDescriptor, _ offset: UInt64, _ length: UInt64) throws(Errno)
    {
        guard inode < firstNew else { return }
        try lock.withLock { () throws(Errno) in
            guard let index = indexes[inode], offset < bases[index].intactBytes else { return }
            let end = min(offset.addingReportingOverflow(length).partialValue, bases[index].intactBytes)
            guard offset < end else { return }
            try save(index, descriptor, offset / Self.pageBytes...(end - 1) / Self.pageBytes)
        }
    }

    /// Saves the bytes that a truncation is about to cut off.
    func saveTail(of inode: InodeID, _ descriptor: SharedDescriptor, from offset: UInt64) throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard let index = indexes[inode], offset < bases[index].intactBytes else { return }
            var position = offset
            // Skips holes: bytes that are neither intact nor saved read as zeros.
            while position < bases[index].intactBytes {
                let data = faultline_lseek(descriptor.rawValue, off_t(position), Self.seekData)
                if data == -off_t(ENXIO) { break }
                let start = try UInt64(Errno.check(data))
                guard start < bases[index].intactBytes else { break }
                let hole = try UInt64(Errno.check(faultline_lseek(descriptor.rawValue, off_t(start), Self.seekHole)))
                let end = min(hole, bases[index].intactBytes)
                try save(index, descriptor, start / Self.pageBytes...(end - 1) / Self.pageBytes)
                position = end
            }
            // If the page at the cut was saved, it is read from the scratch file.
            bases[index].intactBytes = offset
        }
    }

    private func save(_ index: Int, _ descriptor: SharedDescriptor, _ pages: ClosedRange<UInt64>) throws(Errno) {
        var page = pages.lowerBound
        while page <= pages.upperBound {
            if bases[index].saved[page] != nil {
                page += 1
                continue
            }
            var end = page + 1
            while end <= pages.upperBound, (end - page) * Self.pageBytes < Self.chunkBytes,
                bases[index].saved[end] == nil
            {
                end += 1
            }
            let start = page * Self.pageBytes
            let count = min((end - page) * Self.pageBytes, bases[index].sizeBytes - start)
            let intact = min(count, bases[index].intactBytes - start)
            let kept = try copy(descriptor, start, Int(count), intact: Int(intact))
            for copied in page..<end {
                bases[index].saved[copied] = kept.offsetBytes + (copied - page) * Self.pageBytes
            }
            page = end
        }
    }

    /// Saves `count` bytes: the first `intact` from the file, then zeros.
    private func copy(_ descriptor: SharedDescriptor, _ start: UInt64, _ count: Int, intact: Int) throws(Errno)
        -> Payload
    {
        // Not the thread's buffer: a read with a bitflip at rest is using that one.
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < intact {
            let got = try Errno.check(
                faultline_pread(descriptor.rawValue, buffer + done, intact - done, off_t(start) + off_t(done)))
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
            var left: SharedDescriptor?
            var done: UInt64 = 0
            while done < payload.countBytes {
                let position = offset + done
                let (page, within) = position.quotientAndRemainder(dividingBy: Self.pageBytes)
                var count = min(Self.pageBytes - within, payload.countBytes - done)
                if let kept = base.saved[page] {
                    let part = Int(done)..<Int(done + count)
                    let saved = Payload(offsetBytes: kept + within, countBytes: count)
                    try bytes.withUnsafeMutableBytes { bytes in
                        try scratch.read(saved, into: UnsafeMutableRawBufferPointer(rebasing: bytes[part]))
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
        _ descriptor: SharedDescriptor, at offset: UInt64, into bytes: inout [UInt8], _ start: Int, _ count: Int
    ) throws {
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                faultline_pread(
                    descriptor.rawValue, $0.baseAddress! + start + done, count - done, off_t(offset) + off_t(done))
            }
            if try Errno.check(got) == 0 { break }
            done += got
        }
    }
}
