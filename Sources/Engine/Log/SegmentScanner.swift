import Bytes
import Glibc
import Storage

/// Reads the frames of one segment from front to back, and judges each by itself: magic, lengths, checksum, then
/// version, flags and type. How frames follow each other is for `Recovery` to judge.
///
/// An arbitrary file never traps, and memory stays below one window and the largest record that the file can hold.
struct SegmentScanner<Planted: Defects>: ~Copyable {
    enum Step {
        /// Its memory is valid until the next step.
        case frame(Frame)
        /// The file ends here, or zeros begin: space that was reserved and not yet used.
        case end
        case damaged(DamageReason)
    }

    let length: UInt64
    /// Where the next frame begins.
    private(set) var position: UInt64 = 0

    private let file: (any StorageFile)?
    private let defects: Planted
    private var window: UnsafeMutableRawBufferPointer
    private var windowStart: UInt64 = 0
    private var windowCount = 0

    init(_ file: any StorageFile, defects: Planted, windowSizeBytes: Int = 256 << 10) throws(StorageError) {
        self.file = file
        self.defects = defects
        length = try file.length()
        let size = max(Frame.headerSizeBytes, Int(min(UInt64(windowSizeBytes), length)))
        window = .allocate(byteCount: size, alignment: 16)
    }

    /// A scanner at its end.
    init(nothing defects: Planted) {
        file = nil
        self.defects = defects
        length = 0
        window = .allocate(byteCount: Frame.headerSizeBytes, alignment: 16)
    }

    deinit { window.deallocate() }

    /// Reads the frame at `position` and moves behind it. After `end` or `damaged` the position stays.
    mutating func next() throws(StorageError) -> Step {
        let available = length - position
        guard available > 0 else { return .end }
        let header = try bytes(Int(min(available, UInt64(Frame.headerSizeBytes))))
        if header.allSatisfy({ $0 == 0 }) { return .end }
        guard header.count == Frame.headerSizeBytes else { return .damaged(.cutShort) }
        let size: (keyCount: Int, payloadCount: Int)
        do throws(DamageReason) {
            let isLast = defects.has(.lastRecordDropped) && position > 0
            size = try Frame.checkedSize(of: header, availableBytes: isLast ? available - 1 : available)
        } catch {
            return .damaged(error)
        }
        let frame = try bytes(Frame.size(keyCount: size.keyCount, payloadCount: size.payloadCount))
        do throws(DamageReason) {
            return try decoded(frame, keyCount: size.keyCount, payloadCount: size.payloadCount)
        } catch {
            return .damaged(error)
        }
    }

    /// As `next`, but what is no record is read once more before that is believed: a read that went wrong on its way here must
    /// not cost what lies on storage.
    @inline(__always)
    mutating func confirmedNext() throws(StorageError) -> Step {
        let step = try next()
        if case .frame = step { return step }
        return try nextAgain()
    }

    @inline(never)
    private mutating func nextAgain() throws(StorageError) -> Step {
        windowCount = 0
        return try next()
    }

    /// The bytes of a frame that was just read, as they lie in the segment.
    static func bytes(of frame: Frame) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: frame.key.baseAddress! - Frame.headerSizeBytes, count: frame.sizeBytes)
    }

    mutating func move(to position: UInt64) { self.position = position }

    /// Moves to the next whole record behind `position`, whatever its LSN; false and at the end when there is none.
    mutating func findNextFrame() throws(StorageError) -> Bool {
        let magic = withUnsafeBytes(of: Frame.magic.littleEndian) { Array($0) }
        position += 1
        while position + UInt64(Frame.overheadBytes) <= length {
            let part = try bytes(Int(min(length - position, UInt64(window.count))))
            if let candidate = part.firstIndex(of: magic[0]) {
                position += UInt64(candidate)
                let start = position
                if case .frame(let frame) = try next(), frame.type != .segment {
                    position = start
                    return true
                }
                position = start + 1
            } else {
                position += UInt64(part.count)
            }
        }
        position = length
        return false
    }

    /// The distance from `position` to the end of the last byte that is not zero.
    mutating func distanceToLastUsedByte() throws(StorageError) -> UInt64 {
        let start = position
        defer { position = start }
        var distance: UInt64 = 0
        while position < length {
            let part = try bytes(Int(min(length - position, UInt64(window.count))))
            let used = Self.usedCount(part)
            if used > 0 { distance = position - start + UInt64(used) }
            position += UInt64(part.count)
        }
        return distance
    }

    /// How many bytes there are up to the last one that is not zero.
    private static func usedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isZero(bytes) else { return 0 }
        var count = bytes.count
        while count >= 8, bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) == 0 { count -= 8 }
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        return count
    }

    /// At the speed of memory: an unused tail is as long as a segment.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
        return bytes[0] == 0 && memcmp(base, base + 1, bytes.count - 1) == 0
    }

    private mutating func decoded(
        _ bytes: UnsafeRawBufferPointer, keyCount: Int, payloadCount: Int
    ) throws(DamageReason) -> Step {
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Frame.checksumSizeBytes))
        let found = bytes.littleEndian(UInt32.self, at: body.count)
        let expected = CRC32C.checksum(body)
        guard found == expected || defects.has(.checksumUnchecked) else {
            throw .wrongChecksum(found: found, expected: expected)
        }
        guard bytes[4] == Frame.version else { throw .unknownVersion(bytes[4]) }
        let flags = bytes.littleEndian(UInt16.self, at: 6)
        guard flags == 0 else { throw .reservedFlags(flags) }
        guard let type = RecordType(rawValue: bytes[5]) else { throw .unknownType(bytes[5]) }
        let keyEnd = Frame.headerSizeBytes + keyCount
        let frame = Frame(
            type: type, lsn: bytes.littleEndian(at: 8), offsetBytes: UInt32(truncatingIfNeeded: position),
            key: UnsafeRawBufferPointer(rebasing: bytes[Frame.headerSizeBytes..<keyEnd]),
            payload: UnsafeRawBufferPointer(rebasing: bytes[keyEnd..<keyEnd + payloadCount]))
        position += UInt64(bytes.count)
        return .frame(frame)
    }

    /// The `count` bytes at `position`, which the file holds.
    @inline(__always)
    private mutating func bytes(_ count: Int) throws(StorageError) -> UnsafeRawBufferPointer {
        if position < windowStart || position + UInt64(count) > windowStart + UInt64(windowCount) {
            try refill(count)
        }
        let start = Int(position - windowStart)
        return UnsafeRawBufferPointer(rebasing: window[start..<start + count])
    }

    private mutating func refill(_ count: Int) throws(StorageError) {
        if count > window.count {
            window.deallocate()
            window = .allocate(byteCount: count, alignment: 16)
        }
        windowStart = position
        windowCount = 0
        let wanted = Int(min(UInt64(window.count), length - position))
        let target = UnsafeMutableRawBufferPointer(rebasing: window[..<wanted])
        windowCount = try file?.read(into: target, at: position) ?? 0
        // A file that shrank since its length was asked for reads as if zeros followed.
        if windowCount < wanted {
            UnsafeMutableRawBufferPointer(rebasing: window[windowCount..<wanted]).initializeMemory(
                as: UInt8.self, repeating: 0)
            windowCount = wanted
        }
    }
}
