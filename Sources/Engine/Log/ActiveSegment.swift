import Bytes
import Glibc
import Storage

/// The active segment: the last one of the log, to which records are written.
///
/// Its file is preallocated to the size of a segment and filled with zeros some distance ahead of the records, so that a
/// commit only overwrites. Its header holds the reserved size: a shorter file was closed, sealed, or truncated. The caller
/// serialises all calls.
struct ActiveSegment {
    let header: SegmentHeader
    private(set) var file: any StorageFile
    private let sizeBytes: UInt64
    private let zeroAheadBytes: UInt64
    /// Every byte before this offset was written once, as a record or as zeros.
    private var zeroedEnd: UInt64 = 0

    var name: SegmentName { header.name }

    /// Creates the file of a new segment and reserves its space. On failure the file is removed; if that fails too,
    /// `isGone` is false.
    static func reserve(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions, isGone: inout Bool
    ) throws(StorageError) -> any StorageFile {
        isGone = true
        let file = try storage.create(header.name.fileName)
        do throws(StorageError) { try file.preallocate(at: 0, countBytes: UInt64(options.segmentSizeBytes)) } catch {
            do throws(StorageError) { try storage.unlink(header.name.fileName) } catch { isGone = false }
            throw error
        }
        return file
    }

    /// Begins a new segment in the file from `reserve`. When this returns, its name and its header are durable, and it
    /// holds no record.
    static func begin(
        _ header: SegmentHeader, _ file: any StorageFile, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        try start(header, file, storage, options, isReserved: true)
    }

    /// Begins a new segment. When this returns, its name and its header are durable, and it holds no record.
    static func begin(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.create(header.name.fileName)
        return try start(header, file, storage, options)
    }

    /// Begins an existing segment again: a crash came while it was created, or none of its records are kept.
    static func restart(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.open(header.name.fileName)
        try file.truncate(to: 0)
        return try start(header, file, storage, options)
    }

    /// Prepares the last segment for records after those that recovery kept. When this returns, every recovered record is
    /// durable, and nothing follows them. A segment of an older version is sealed.
    static func resume(
        _ header: SegmentHeader, _ tail: LogTail, in storage: any Storage, options: LogOptions, hooks: some Hooks
    ) throws(StorageError) -> ActiveSegment {
        var segment = ActiveSegment(header, try storage.open(tail.name.fileName), options)
        let end = tail.endBytes
        // Only a closed log is known to be durable. After a crash or a failure the kernel may return bytes that are not on
        // disk and that no later sync writes, because a failed sync marked their pages clean. So the records are written
        // again, and the next sync covers them.
        if !tail.isDurable {
            try hooks.run(.cutTail) { () throws(StorageError) in try segment.file.truncate(to: end) }
            if hooks.skips(.keepTailUntilRewritten) { try segment.rewriteAfterTruncation(upTo: end) }
            try hooks.run(.rewriteTail) { () throws(StorageError) in
                try segment.copy(from: segment.file, upTo: end)
            }
        }
        if hooks.skips(.cutTail) { segment.zeroedEnd = segment.sizeBytes }
        if header.version == Frame.version { try segment.reserve(behind: end) }
        try segment.file.sync()
        // The names that recovery found may exist only in the kernel's memory.
        try storage.syncDirectory()
        return segment
    }

    /// Replaces the last segment by a new file with the kept records, atomically by a rename. After a crash the segment is
    /// either unchanged or complete, so that there is never a gap before a durable record. When this returns, it is ready
    /// for records, if it is of this version.
    static func replace(
        _ header: SegmentHeader, _ tail: LogTail, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let name = tail.name.replacementName
        if try storage.list().contains(name) { try storage.unlink(name) }
        let file = try storage.create(name)
        var segment = ActiveSegment(header, file, options)
        try segment.copy(from: try storage.open(tail.name.fileName), upTo: tail.endBytes)
        if header.version == Frame.version { try segment.reserve(behind: tail.endBytes) }
        try file.sync()
        try storage.rename(name, to: tail.name.fileName)
        try storage.syncDirectory()
        segment.file = try storage.open(tail.name.fileName)
        return segment
    }

    private static func start(
        _ header: SegmentHeader, _ file: any StorageFile, _ storage: any Storage, _ options: LogOptions,
        isReserved: Bool = false
    ) throws(StorageError) -> ActiveSegment {
        var segment = ActiveSegment(header, file, options)
        if !isReserved { try file.preallocate(at: 0, countBytes: segment.sizeBytes) }
        try file.write(header.encoded, at: 0)
        try segment.zeroAhead(of: UInt64(SegmentHeader.sizeBytes))
        try file.sync()
        try storage.syncDirectory()
        return segment
    }

    private init(_ header: SegmentHeader, _ file: any StorageFile, _ options: LogOptions) {
        self.header = header
        self.file = file
        sizeBytes = UInt64(options.segmentSizeBytes)
        zeroAheadBytes = file.overwritesReservedSpace ? 0 : UInt64(options.zeroAheadBytes)
    }

    /// Reserves space and fills it with zeros after the last record.
    private mutating func reserve(behind end: UInt64) throws(StorageError) {
        try file.preallocate(at: 0, countBytes: max(sizeBytes, header.reservedBytes))
        try zeroAhead(of: end)
    }

    /// Writes records, and more zeros if the records pass the zeroed range.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        guard bytes.count > 0 else { return }
        try file.write(bytes, at: offsetBytes)
        try zeroAhead(of: offsetBytes + UInt64(bytes.count))
    }

    /// Truncates the segment after its last record, which is durable. The truncated bytes are zeros, so that no sync is
    /// needed.
    func cut(at endBytes: UInt64) throws(StorageError) { try file.truncate(to: endBytes) }

    /// Ends the log after its last record, which is durable, with a close mark. The mark is not synced: if a crash loses
    /// it, the log looks as if it had not been closed.
    func close(at endBytes: UInt64, nextLSN: UInt64) throws(StorageError) {
        let mark = Frame.encoded(
            .close, lsn: nextLSN, unsyncedCount: 0, at: UInt32(truncatingIfNeeded: endBytes))
        try file.write(mark, at: endBytes)
        try file.truncate(to: endBytes + UInt64(mark.count))
    }

    private mutating func zeroAhead(of end: UInt64) throws(StorageError) {
        guard zeroAheadBytes > 0, end > zeroedEnd else { return }
        let target = max(end, min(sizeBytes, (end / zeroAheadBytes + 1) * zeroAheadBytes))
        try zeros.withBytes { (zeros) throws(StorageError) in
            var position = end
            while position < target {
                let count = Int(min(UInt64(zeros.count), target - position))
                try file.write(UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: position)
                position += UInt64(count)
            }
        }
        zeroedEnd = target
    }

    /// Copies record by record and verifies each, so that a bad read does not replace a good record.
    private func copy(from source: any StorageFile, upTo end: UInt64) throws(StorageError) {
        var scanner = try SegmentScanner(source, hooks: NoHooks())
        var start: UInt64 = 0
        var part: [UInt8] = []
        while scanner.position < end {
            guard case .frame(let frame) = try scanner.confirmedNext(), scanner.position <= end else {
                throw .failed(.read, name: name.fileName, errno: EIO)
            }
            part += SegmentScanner<NoHooks>.bytes(of: frame)
            guard part.count >= 1 << 20 || scanner.position == end else { continue }
            try file.write(part, at: start)
            start = scanner.position
            part.removeAll(keepingCapacity: true)
        }
    }
}

/// Zeros to write from.
private struct Zeros: Sendable {
    private let bytes = [UInt8](repeating: 0, count: 256 << 10)

    func withBytes(_ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void) throws(StorageError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(StorageError) in
            try body(UnsafeRawBufferPointer(buffer))
        }
    }
}

private let zeros = Zeros()
