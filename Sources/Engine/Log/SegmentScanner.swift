import Bytes
import Glibc
import Storage

/// Reads the frames of one segment in order and checks each by itself: magic, lengths, checksum, then version, flags and
/// type. `LogWalk` checks that frames follow each other.
///
/// No input traps, and memory is limited to one window and the largest record in the file.
struct SegmentScanner<H: Hooks>: ~Copyable {
    enum Step {
        /// Its memory is valid until the next step.
        case frame(Frame)
        /// The end of the file, or the beginning of reserved space that is not used yet.
        case end
        case damaged(DamageReason)
    }

    let length: UInt64
    /// The offset of the next frame.
    private(set) var position: UInt64 = 0
    /// The format version of the segment, once its header is read.
    private(set) var version: UInt8?

    private let file: (any StorageFile)?
    private let hooks: H
    /// The memory of `window`. A reference, and no deinit of this type: in an optimised build a generic `~Copyable` struct that
    /// is a property of another one can end without its deinit (Swift 6.3.1), and each reader then leaked its window.
    private var memory: WindowMemory
    private var window: UnsafeMutableRawBufferPointer
    private var windowStart: UInt64 = 0
    private var windowCount = 0
    /// For `findFrame`.
    private var prefixes = PrefixChecksums()

    init(_ file: any StorageFile, hooks: H, windowSizeBytes: Int = 256 << 10) throws(StorageError) {
        self.file = file
        self.hooks = hooks
        length = try file.length()
        let size = max(Frame.headerSizeBytes, Int(min(UInt64(windowSizeBytes), length)))
        memory = WindowMemory(sizeBytes: size)
        window = memory.bytes
    }

    /// A scanner at its end.
    init(nothing hooks: H) {
        file = nil
        self.hooks = hooks
        length = 0
        memory = WindowMemory(sizeBytes: Frame.headerSizeBytes)
        window = memory.bytes
    }

    /// Reads the frame at `position` and advances. After `end` or `damaged` the position stays.
    mutating func next() throws(StorageError) -> Step {
        let available = length - position
        guard available > 0 else { return .end }
        let header = try bytes(Int(min(available, UInt64(Frame.headerSizeBytes))))
        if header.allSatisfy({ $0 == 0 }) { return .end }
        guard header.count == Frame.headerSizeBytes else { return .damaged(.cutShort) }
        let size: (keyCount: Int, payloadCount: Int)
        do throws(DamageReason) {
            let isLast = hooks.skips(.takeLastRecord) && position > 0
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

    /// As `next`, but reads an invalid record once more, so that a transient read error does not drop a good record.
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

    /// The encoded bytes of the frame that was just read.
    static func bytes(of frame: Frame) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: frame.key.baseAddress! - Frame.headerSizeBytes, count: frame.sizeBytes)
    }

    mutating func move(to position: UInt64) { self.position = position }

    /// Moves to the first whole record with any LSN from `start` up to `end`. False if there is none; the scanner is then at
    /// the end.
    ///
    /// The time is linear in the length of the file, whatever lengths the bytes claim: checksums of long records are computed
    /// from a table (`PrefixChecksums`).
    mutating func findFrame(
        from start: UInt64, before end: UInt64 = .max
    ) throws(StorageError) -> Bool {
        let end = min(end, length, UInt64(UInt32.max))
        position = min(start, length)
        while position < end, position + UInt64(Frame.overheadBytes) <= length {
            let part = try bytesAtHand(before: end)
            guard let candidate = memchr(part.baseAddress!, Int32(Frame.magic & 0xFF), part.count) else {
                position += UInt64(part.count)
                continue
            }
            position += UInt64(part.baseAddress!.distance(to: UnsafeRawPointer(candidate)))
            let start = position
            if try mayBeWhole(), case .frame(let frame) = try next(), frame.type != .segment {
                position = start
                return true
            }
            position = start + 1
        }
        position = length
        return false
    }

    /// Whether to read the record that may begin at `position`: it is short, or its checksum is correct.
    private mutating func mayBeWhole() throws(StorageError) -> Bool {
        guard length - position >= UInt64(Frame.overheadBytes) else { return false }
        let header = try bytes(Frame.headerSizeBytes)
        guard let counts = try? Frame.checkedSize(of: header, availableBytes: length - position) else { return false }
        let size = Frame.size(keyCount: counts.keyCount, payloadCount: counts.payloadCount)
        if size <= PrefixChecksums.blockSizeBytes { return true }
        guard let file else { return false }
        let start = Frame.checksumStart(version: version ?? header[4], at: position)
        let bodyEnd = position + UInt64(size - Frame.checksumSizeBytes)
        let expected = try prefixes.checksum(of: position..<bodyEnd, extending: start, in: file)
        var found: UInt32 = 0
        let count = try withUnsafeMutableBytes(of: &found) { (bytes) throws(StorageError) in
            try file.read(into: bytes, at: bodyEnd)
        }
        return count == Frame.checksumSizeBytes && UInt32(littleEndian: found) == expected
    }

    /// The number of bytes from `position` through the last byte that is not zero.
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

    /// The number of bytes through the last one that is not zero.
    private static func usedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isZero(bytes) else { return 0 }
        var count = bytes.count
        while count >= 8, bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) == 0 { count -= 8 }
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        return count
    }

    /// At memory speed, because an unused tail may be as long as a segment.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
        return bytes[0] == 0 && memcmp(base, base + 1, bytes.count - 1) == 0
    }

    private mutating func decoded(
        _ bytes: UnsafeRawBufferPointer, keyCount: Int, payloadCount: Int
    ) throws(DamageReason) -> Step {
        let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Frame.checksumSizeBytes))
        let found = bytes.littleEndian(UInt32.self, at: body.count)
        let start = Frame.checksumStart(version: version ?? bytes[4], at: position)
        let expected = CRC32C.checksum(body, extending: start)
        guard found == expected || hooks.skips(.verifyRecordChecksum) else {
            throw .wrongChecksum(found: found, expected: expected)
        }
        guard (1...Frame.version).contains(bytes[4]) else { throw .unknownVersion(bytes[4]) }
        if let version, bytes[4] != version { throw .foreignVersion(bytes[4], ofSegment: version) }
        let isFirstVersion = bytes[4] == 1
        let word = bytes.littleEndian(UInt16.self, at: 6)
        guard !isFirstVersion || word == 0 else { throw .reservedFlags(word) }
        guard let type = RecordType(rawValue: bytes[5]), !isFirstVersion || type != .close else {
            throw .unknownType(bytes[5])
        }
        if type == .segment, position == 0 { version = bytes[4] }
        let keyEnd = Frame.headerSizeBytes + keyCount
        let frame = Frame(
            type: type, lsn: bytes.littleEndian(at: 8), unsyncedCount: isFirstVersion ? .max : word,
            offsetBytes: UInt32(truncatingIfNeeded: position),
            key: UnsafeRawBufferPointer(rebasing: bytes[Frame.headerSizeBytes..<keyEnd]),
            payload: UnsafeRawBufferPointer(rebasing: bytes[keyEnd..<keyEnd + payloadCount]))
        position += UInt64(bytes.count)
        return .frame(frame)
    }

    /// The `count` bytes at `position`, which must be in the file.
    @inline(__always)
    private mutating func bytes(_ count: Int) throws(StorageError) -> UnsafeRawBufferPointer {
        if position < windowStart || position + UInt64(count) > windowStart + UInt64(windowCount) {
            try refill(count)
        }
        let start = Int(position - windowStart)
        return UnsafeRawBufferPointer(rebasing: window[start..<start + count])
    }

    /// The bytes from `position` on that are in memory; reads a window if there are none. At least one byte.
    private mutating func bytesAtHand(before end: UInt64) throws(StorageError) -> UnsafeRawBufferPointer {
        let windowEnd = windowStart + UInt64(windowCount)
        let isAtHand = position >= windowStart && position < windowEnd
        return try bytes(Int(min(end - position, isAtHand ? windowEnd - position : UInt64(window.count))))
    }

    private mutating func refill(_ count: Int) throws(StorageError) {
        if count > window.count {
            memory = WindowMemory(sizeBytes: count)
            window = memory.bytes
        }
        windowStart = position
        windowCount = 0
        let wanted = Int(min(UInt64(window.count), length - position))
        let target = UnsafeMutableRawBufferPointer(rebasing: window[..<wanted])
        windowCount = try file?.read(into: target, at: position) ?? 0
        // If the file shrank since its length was read, the missing bytes read as zeros.
        if windowCount < wanted {
            UnsafeMutableRawBufferPointer(rebasing: window[windowCount..<wanted]).initializeMemory(
                as: UInt8.self, repeating: 0)
            windowCount = wanted
        }
    }
}

/// Memory that is freed with its last reference.
private final class WindowMemory {
    let bytes: UnsafeMutableRawBufferPointer

    init(sizeBytes: Int) { bytes = .allocate(byteCount: sizeBytes, alignment: 16) }

    deinit { bytes.deallocate() }
}
