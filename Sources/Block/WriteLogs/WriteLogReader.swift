import Bytes
import Glibc

/// Reads a log of dm-log-writes, or of QEMU's blklogwrites, which writes the same format. Little-endian:
///
///     sector 0     u64 magic, u64 version (1), u64 number of entries, u32 bytes of a sector
///     an entry     a sector: u64 first sector, u64 sectors, u64 flags, u64 bytes of a mark's text, the text;
///                  then, of a write, its data
///
/// Nothing of the log is believed: each number is checked against the file before it is used. Not thread safe.
package final class WriteLogReader {
    package let path: ByteString
    package let sectorBytes: UInt64
    /// How many entries the log says that it has.
    package let entryCount: UInt64
    private let descriptor: Int32
    private let sizeBytes: UInt64
    private var offsetBytes: UInt64
    private var readCount: UInt64 = 0

    private static let magic: UInt64 = 0x6A_7366_7773_6872
    private static let version: UInt64 = 1
    private static let headerBytes = 28
    private static let entryBytes: UInt64 = 32
    private static let sectorRange: ClosedRange<UInt64> = 512...65_536

    package init(_ path: ByteString) throws(WriteLogError) {
        let number = path.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        var isKept = false
        defer { if !isKept { close(number) } }
        // The log may be a device, whose size lseek tells.
        let end = lseek(number, 0, SEEK_END)
        guard end >= 0 else { throw .system(call: "lseek", path: path, errno: errno) }
        let header = try Self.read(number, path, at: 0, count: min(Self.headerBytes, Int(end)))
        guard header.count == Self.headerBytes else { throw .notALog(path, reason: "it has \(end) bytes") }
        let (magic, version, count, sector) = (
            Self.number(header, 0, 8), Self.number(header, 8, 8), Self.number(header, 16, 8), Self.number(header, 24, 4)
        )
        guard magic == Self.magic else {
            throw .notALog(path, reason: "it begins with 0x\(String(magic, radix: 16)), not 0x6a736677736872")
        }
        guard version == Self.version else { throw .notALog(path, reason: "its version is \(version), not 1") }
        guard Self.sectorRange.contains(sector), sector.nonzeroBitCount == 1 else {
            throw .notALog(path, reason: "its sectors have \(sector) bytes")
        }
        (self.path, descriptor, sizeBytes) = (path, number, UInt64(end))
        (entryCount, sectorBytes, offsetBytes) = (count, sector, sector)
        isKept = true
    }

    deinit { close(descriptor) }

    /// The next entry; nil after the last one.
    package func next() throws(WriteLogError) -> WriteLogEntry? {
        guard readCount < entryCount else { return nil }
        let (place, number) = (offsetBytes, readCount + 1)
        func damaged(_ reason: String) -> WriteLogError {
            .damaged(path, entry: number, offsetBytes: place, reason: reason)
        }
        func truncated() -> WriteLogError { .truncated(path, entry: number, of: entryCount, offsetBytes: place) }
        guard place <= sizeBytes, sizeBytes - place >= sectorBytes else { throw truncated() }
        let head = try Self.read(descriptor, path, at: place, count: Int(Self.entryBytes))
        let (sector, count) = (Self.number(head, 0, 8), Self.number(head, 8, 8))
        let (bits, textCount) = (Self.number(head, 16, 8), Self.number(head, 24, 8))
        let flags = WriteLogEntry.Flags(rawValue: bits)
        guard flags.isSubset(of: .known) else { throw damaged("unknown flags 0x\(String(bits, radix: 16))") }
        guard count > 0 || !flags.isDisjoint(with: [.flush, .mark]) else {
            throw damaged("it neither writes, flushes nor marks")
        }
        guard let range = range(sector, count) else {
            throw damaged("sector \(sector) and \(count) more are beyond any device")
        }
        var entry = WriteLogEntry(
            number: number, offsetBytes: place, flags: flags, range: range, dataOffsetBytes: place + sectorBytes,
            text: [])
        if flags.contains(.mark) {
            guard textCount <= sectorBytes - Self.entryBytes else {
                throw damaged("a mark of \(textCount) bytes in a sector of \(sectorBytes)")
            }
            guard count == 0 else { throw damaged("a mark that has \(count.counted("sector"))") }
            let text = try Self.read(descriptor, path, at: place + Self.entryBytes, count: Int(textCount))
            entry.text = Array(text.prefix { $0 != 0 })
        }
        let hasData = flags.isDisjoint(with: [.discard, .mark])
        let dataBytes = hasData ? UInt64(range.count) : 0
        guard dataBytes <= sizeBytes - entry.dataOffsetBytes else { throw truncated() }
        offsetBytes = entry.dataOffsetBytes + dataBytes
        readCount = number
        return entry
    }

    /// The data of a write, from `start` on within it.
    package func data(of entry: WriteLogEntry, from start: UInt64 = 0, count: UInt64) throws(WriteLogError) -> [UInt8] {
        try bytes(at: entry.dataOffsetBytes + start, count: Int(count))
    }

    /// Bytes of the log, at a place that an entry has named.
    func bytes(at offset: UInt64, count: Int) throws(WriteLogError) -> [UInt8] {
        let bytes = try Self.read(descriptor, path, at: offset, count: count)
        guard bytes.count == count else {
            throw .truncated(path, entry: readCount, of: entryCount, offsetBytes: offset)
        }
        return bytes
    }

    /// The bytes of the device; nil for a range that no device has.
    private func range(_ sector: UInt64, _ count: UInt64) -> Range<UInt64>? {
        let most = UInt64(Int64.max) / sectorBytes
        guard sector <= most, count <= most - sector else { return nil }
        return sector * sectorBytes..<(sector + count) * sectorBytes
    }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Fewer bytes at the end of the file.
    private static func read(
        _ descriptor: Int32, _ path: ByteString, at offset: UInt64, count: Int
    ) throws(WriteLogError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset) + off_t(done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system(call: "read", path: path, errno: errno) }
            if got == 0 { break }
            done += got
        }
        return Array(bytes[..<done])
    }
}
