import Bytes
import Storage

/// What the engine does instead of a step that it skips, where that takes more than nothing.
extension LogWalk {
    /// Takes a record without a look at its number, or at the commit of its batch.
    mutating func takeCarelessly(_ frame: Frame) -> DamageReason? {
        if frame.type == .segment { return .misplacedSegmentHeader }
        let isPart = hooks.skips(.beginSegmentEmpty) && !batch.take(frame)
        if isPart { return .incompleteBatch }
        report.recordsReplayed += 1
        lastLSN = frame.lsn
        if batch.isClosed { wholeEnd = scanner.position }
        return nil
    }

    /// Looks for a record behind the last one, whatever its number.
    mutating func findStaleRecord() throws(EngineError) -> Bool {
        batch = OpenBatch()
        return try throughStorage { () throws(StorageError) in try scanner.findFrame(from: scanner.position + 1) }
    }
}

extension LogCore {
    /// Begins a segment with what lay in the one before it.
    func fillWithStaleRecords(_ segment: ActiveSegment) throws(StorageError) {
        let start = UInt64(SegmentHeader.sizeBytes)
        let stale = try active.file.contents()
        try segment.file.write(Array(stale.dropFirst(Int(start))), at: start)
        try segment.file.sync()
    }
}

extension ActiveSegment {
    /// Empties the segment, and then writes what it held.
    func rewriteCarelessly(upTo end: UInt64) throws(StorageError) {
        let kept = try file.read(countBytes: Int(end), at: 0)
        try file.truncate(to: 0)
        try file.write(kept, at: 0)
    }
}
