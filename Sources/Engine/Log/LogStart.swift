import Bytes
import Storage

/// The point at which a log continues after opening or truncation: the active segment and the end of its last record.
struct LogStart {
    var segment: ActiveSegment
    var endBytes: UInt64

    /// Begins a new log with an empty first segment.
    init(beginning name: SegmentName, in storage: any Storage, options: LogOptions) throws(StorageError) {
        segment = try .begin(
            SegmentHeader(name: name, baseLSN: 1, sizeBytes: options.segmentSizeBytes), in: storage, options: options)
        endBytes = UInt64(SegmentHeader.sizeBytes)
    }

    /// Continues after `tail`. A segment of an older version is sealed, and a new one begun.
    ///
    /// - Parameters:
    ///   - lastLSN: the LSN of the last record in `tail`.
    ///   - isReplaced: whether durable records after `tail` are dropped. They are dropped by replacing the segment
    ///     atomically: a crash between several steps would leave a log that looks damaged.
    init(
        behind tail: LogTail, lastLSN: UInt64, isReplaced: Bool, in storage: any Storage, options: LogOptions,
        hooks: some Hooks
    ) throws(StorageError) {
        guard let header = tail.header else {
            let header = SegmentHeader(
                name: tail.name, baseLSN: lastLSN + 1, sizeBytes: options.segmentSizeBytes)
            segment = try .restart(header, in: storage, options: options)
            endBytes = UInt64(SegmentHeader.sizeBytes)
            return
        }
        segment =
            try isReplaced
            ? .replace(header, tail, in: storage, options: options)
            : .resume(header, tail, in: storage, options: options, hooks: hooks)
        endBytes = tail.endBytes
        if header.version != Frame.version {
            let next = SegmentHeader(
                name: tail.name.next, baseLSN: lastLSN + 1, sizeBytes: options.segmentSizeBytes)
            segment = try .begin(next, in: storage, options: options)
            endBytes = UInt64(SegmentHeader.sizeBytes)
        }
    }
}
