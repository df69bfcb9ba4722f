import Bytes
import Storage

/// The wrong steps that some planted bugs do instead of a skipped step.
extension LogWalk {
    /// Accepts a record without a check of its LSN or of the commit of its batch.
    mutating func acceptUnchecked(_ frame: Frame) -> DamageReason? {
        if frame.type == .segment { return .misplacedSegmentHeader }
        let isPart = hooks.skips(.beginSegmentEmpty) && !batch.take(frame)
        if isPart { return .incompleteBatch }
        report.recordsReplayed += 1
        lastLSN = frame.lsn
        if batch.isClosed { wholeEnd = scanner.position }
        return nil
    }

    /// Searches for a record after the last one, with any LSN.
    mutating func findStaleRecord() throws(EngineError) -> Bool {
        batch = OpenBatch()
        return try throughStorage { () throws(StorageError) in try scanner.findFrame(from: scanner.position + 1) }
    }
}

extension LogCore {
    /// Stores the new end of the log, whatever it was meanwhile.
    func reserveWithoutExchange(_ next: Reservation) -> Bool {
        words.store(next.rawValue, at: Word.reservation)
        return true
    }

    /// Never closes the file.
    func keepOpen(_ segment: ActiveSegment) { _ = Unmanaged.passRetained(segment.file as AnyObject) }

    /// Never frees a kilobyte, which is written to, so that it is resident.
    func keepMemory() {
        UnsafeMutableRawPointer.allocate(byteCount: 1024, alignment: 8).initializeMemory(
            as: UInt8.self, repeating: 1, count: 1024)
    }

    /// Begins a segment with the content of the previous one.
    func fillWithStaleRecords(_ segment: ActiveSegment) throws(StorageError) {
        let start = UInt64(SegmentHeader.sizeBytes)
        let stale = try active.file.contents()
        try segment.file.write(Array(stale.dropFirst(Int(start))), at: start)
        try segment.file.sync()
    }
}

extension ActiveSegment {
    /// Truncates the segment to nothing, and then writes its content again.
    func rewriteAfterTruncation(upTo end: UInt64) throws(StorageError) {
        let kept = try file.read(countBytes: Int(end), at: 0)
        try file.truncate(to: 0)
        try file.write(kept, at: 0)
    }
}
