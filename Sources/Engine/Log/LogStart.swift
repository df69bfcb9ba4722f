import Bytes
import Storage

/// The point at which a log continues after opening or truncation: the active segment and the end of its last record.
struct LogStart {
    var segment: ActiveSegment
    var endBytes: UInt64

    /// Begins a log.
    init(beginning name: SegmentName, in storage: any Storage, options: LogOptions) throws(StorageError) {
        segment = try .begin(
            SegmentHeader(name: name, baseLSN: 1, sizeBytes: options.segmentSizeBytes), in: storage, options: options)
        endBytes = UInt64(SegmentHeader.sizeBytes)
    }

    /// Continues after `tail`, whose last record is `lastLSN`. `isReplaced`: durable records after it are dropped, so that the
    /// segment is replaced atomically; a crash between two steps would look like damage.
    ///
    /// A segment of an older version is sealed, and the next one begun.
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
