import Bytes
import Glibc
import Storage

/// The segment that is being written: the last one of the log.
///
/// Its file is preallocated to the size of a segment, and filled with zeros some way ahead of the records, so that a
/// commit only overwrites. Whoever holds it serialises its calls.
struct ActiveSegment {
    let name: SegmentName
    let file: any StorageFile
    private let sizeBytes: UInt64
    private let zeroAheadBytes: UInt64
    /// Up to here every byte was written once, as a record or as zeros.
    private var zeroedEnd: UInt64 = 0

    /// Begins a new segment. When this returns, its name and its header are durable and no record is in it.
    static func begin(
        _ header: SegmentHeader, in storage: any Storage, options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.create(header.name.fileName)
        return try start(header, file, storage, options)
    }

    /// Makes the last segment ready for records behind what recovery kept of it. When this returns, every record that
    /// recovery has read is durable, and nothing follows them.
    static func resume(
        _ tail: LogTail, _ header: SegmentHeader, in storage: any Storage, options: LogOptions, defects: some Defects
    ) throws(StorageError) -> ActiveSegment {
        let file = try storage.open(tail.name.fileName)
        guard tail.header != nil else {
            // The crash came while the segment was created.
            try file.truncate(to: 0)
            return try start(header, file, storage, options)
        }
        var segment = ActiveSegment(name: header.name, file: file, options: options)
        let end = tail.endBytes
        // A log that was closed ends where its file ends. Any other was left by a crash or a failure, and then the kernel
        // may show bytes that no disk holds and no later sync would write: after a failed sync its pages count as clean.
        // Written again, they are the next sync's to keep.
        if tail.lengthBytes != end {
            if !defects.has(.tailUncut) { try file.truncate(to: end) }
            if defects.has(.tailRewritten) { try segment.empty(keeping: end) }
            if !defects.has(.tailTrusted) { try segment.rewrite(upTo: end) }
        }
        try file.preallocate(at: 0, countBytes: segment.sizeBytes)
        if defects.has(.tailUncut) { segment.zeroedEnd = segment.sizeBytes }
        try segment.zeroAhead(of: end)
        try file.sync()
        // The names that recovery found may be in the kernel's memory alone.
        try storage.syncDirectory()
        return segment
    }

    private static func start(
        _ header: SegmentHeader, _ file: any StorageFile, _ storage: any Storage, _ options: LogOptions
    ) throws(StorageError) -> ActiveSegment {
        var segment = ActiveSegment(name: header.name, file: file, options: options)
        try file.preallocate(at: 0, countBytes: segment.sizeBytes)
        try file.write(header.encoded, at: 0)
        try segment.zeroAhead(of: UInt64(SegmentHeader.sizeBytes))
        try file.sync()
        try storage.syncDirectory()
        return segment
    }

    private init(name: SegmentName, file: any StorageFile, options: LogOptions) {
        self.name = name
        self.file = file
        sizeBytes = UInt64(options.segmentSizeBytes)
        zeroAheadBytes = file.overwritesReservedSpace ? 0 : UInt64(options.zeroAheadBytes)
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

    /// Plants `tail-rewritten`.
    private func empty(keeping end: UInt64) throws(StorageError) {
        let kept = try file.read(countBytes: Int(end), at: 0)
        try file.truncate(to: 0)
        try file.write(kept, at: 0)
    }

    /// Reads record by record and writes only what is whole: what a bad read made of a record must not replace it.
    private func rewrite(upTo end: UInt64) throws(StorageError) {
        var scanner = try SegmentScanner(file, defects: NoDefects())
        var start: UInt64 = 0
        var part: [UInt8] = []
        while scanner.position < end {
            guard case .frame(let frame) = try scanner.confirmedNext(), scanner.position <= end else {
                throw .failed(.read, name: name.fileName, errno: EIO)
            }
            part += SegmentScanner<NoDefects>.bytes(of: frame)
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
