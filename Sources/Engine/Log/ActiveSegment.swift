import Bytes
import Glibc
import Storage

/// The segment that is being written: the last one of the log.
///
/// Its file is preallocated to the size of a segment, and filled with zeros some way ahead of the records, so that a
/// commit only overwrites. Its header says how much was reserved: a file that is shorter was closed, sealed, or cut short.
/// Whoever holds it serialises its calls.
struct ActiveSegment {
    let header: SegmentHeader
    private(set) var file: any StorageFile
    private let sizeBytes: UInt64
    private let zeroAheadBytes: UInt64
    /// Up to here every byte was written once, as a record or as zeros.
    private var zeroedEnd: UInt64 = 0

    var name: SegmentName { header.name }

    /// Makes the file of a new segment with the space that it needs, and nothing in it. Where that cannot be done, no file
    /// is left, unless even that cannot be done: then `isGone` is false.
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

    /// Begins a new segment in the file that `reserve` made. When this returns, its name and its header are durable and no
    /// record is in it.
    static func begin(
        _ header: SegmentHeader, _ file: any StorageFile, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        try start(header, file, storage, options, isReserved: true)
    }

    /// Begins a new segment. When this returns, its name and its header are durable and no record is in it.
    static func begin(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.create(header.name.fileName)
        return try start(header, file, storage, options)
    }

    /// Begins a segment anew: the crash came while it was created, or nothing of it is kept.
    static func restart(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.open(header.name.fileName)
        try file.truncate(to: 0)
        return try start(header, file, storage, options)
    }

    /// Makes the last segment ready for records behind what recovery kept of it. When this returns, every record that
    /// recovery has read is durable, and nothing follows them. A segment of an older version is sealed there.
    static func resume(
        _ header: SegmentHeader, _ tail: LogTail, in storage: any Storage, options: LogOptions, hooks: some Hooks
    ) throws(StorageError) -> ActiveSegment {
        var segment = ActiveSegment(header, try storage.open(tail.name.fileName), options)
        let end = tail.endBytes
        // Only a log that was closed is known to be durable. Any other was left by a crash or a failure, and then the kernel
        // may show bytes that no disk holds and no later sync would write: after a failed sync its pages count as clean.
        // Written again, they are the next sync's to keep.
        if !tail.isDurable {
            try hooks.run(.cutTail) { () throws(StorageError) in try segment.file.truncate(to: end) }
            if hooks.skips(.keepTailUntilRewritten) { try segment.rewriteCarelessly(upTo: end) }
            try hooks.run(.rewriteTail) { () throws(StorageError) in
                try segment.copy(from: segment.file, upTo: end)
            }
        }
        if hooks.skips(.cutTail) { segment.zeroedEnd = segment.sizeBytes }
        if header.version == Frame.version { try segment.reserve(behind: end) }
        try segment.file.sync()
        // The names that recovery found may be in the kernel's memory alone.
        try storage.syncDirectory()
        return segment
    }

    /// Writes what is kept of the last segment into a new file and gives that the name. Wherever a crash comes, the segment
    /// is as it was, or ends where it shall: nothing durable is missing before something durable. When this returns, it is
    /// ready for records, if it is of this version.
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

    /// Reserves space, and fills it with zeros behind the last record.
    private mutating func reserve(behind end: UInt64) throws(StorageError) {
        try file.preallocate(at: 0, countBytes: max(sizeBytes, header.reservedBytes))
        try zeroAhead(of: end)
    }

    /// Writes records, and zeros ahead of them when they pass what is zeroed.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        guard bytes.count > 0 else { return }
        try file.write(bytes, at: offsetBytes)
        try zeroAhead(of: offsetBytes + UInt64(bytes.count))
    }

    /// Ends the segment behind its last record, which is durable. What the truncation gives back is zeros; it is never
    /// waited for.
    func cut(at endBytes: UInt64) throws(StorageError) { try file.truncate(to: endBytes) }

    /// Ends the log behind its last record, which is durable, with a mark that says so. The mark is never waited for: if a
    /// crash loses it, the log is as one that was left open.
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

    /// Reads record by record and writes only what is whole: what a bad read made of a record must not replace it.
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
