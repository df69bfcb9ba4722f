import Bytes
import Storage

/// Classifies the end of the last segment: whole, torn by a crash, or damaged.
///
/// A record stores how far the log was durable when it was appended. A crash may keep or lose any record that was not
/// durable, but it keeps all durable ones. So a whole record after the first missing one proves damage, if it was appended
/// when the missing one was durable. The opposite cannot be proved: if no record was appended after the sync of the missing
/// one, and the log was not closed, damage looks like a crash.
///
/// A whole record after a gap is reliable, because its checksum covers its offset in the segment, recovery durably removes
/// the dropped bytes before anything is appended, and a truncation replaces the whole file.
extension LogWalk {
    /// Ends the walk at the last record. False if the missing record can be read now; then the walk continues.
    mutating func endLast(at start: UInt64, _ reason: DamageReason?) throws(EngineError) -> Bool {
        let name = segment
        if let reason, reason.isUnsupported {
            throw .damaged(Damage(segment: name.fileName, offsetBytes: start, reason: reason))
        }
        // In a closed segment the tail begins after the mark.
        let dropped = closeEnd ?? wholeEnd
        let used = try usedCount(from: dropped)
        var ending = endingWithoutRest
        if reason != nil || used > 0 {
            if try reads(at: start) { return false }
            ending = try judge(from: closeEnd ?? start, before: dropped + used)
            note(used, at: dropped, reason ?? .bytesAfterEnd)
        }
        end(
            LogTail(
                name: name, header: headers.last, endBytes: wholeEnd, droppedOffsetBytes: dropped, droppedBytes: used,
                ending: ending, isShort: isShort))
        return true
    }

    /// The last segment has no header: a crash came while it was created, or it is damaged.
    mutating func endWithoutHeader(isOnly: Bool, _ policy: DamagedTailPolicy) throws(EngineError) {
        let name = segment
        let used = try usedCount(from: 0)
        // Earlier segments are removed only after its header was durable.
        let hadPredecessors = isOnly && name.sequence > 1
        var ending = LogEnding.blank
        if used > UInt64(SegmentHeader.sizeBytes) || hadPredecessors {
            let count = try judge(from: 0, before: used).recordsBehind
            ending = .damaged(.lostHeader, recordsBehind: count)
            let damage = Damage(segment: name.fileName, offsetBytes: 0, reason: .wrongSegmentHeader)
            // This segment has no valid record before the damage.
            if policy == .refuse { throw .damagedTail(damage, .lostHeader) }
        }
        if used > 0 || ending != .blank { note(used, at: 0, .wrongSegmentHeader) }
        end(LogTail(name: name, endBytes: 0, droppedOffsetBytes: 0, droppedBytes: used, ending: ending))
    }

    private mutating func end(_ tail: LogTail) {
        self.tail = tail
        report.ending = tail.ending
        report.isTailKept = tail.mayHoldAcknowledged && tail.droppedBytes > 0
        report.lastLSN = LSN(lastLSN ?? 0)
        report.lastVersion = tail.header?.version
        isReading = false
    }

    private mutating func note(_ discarded: UInt64, at offset: UInt64, _ reason: DamageReason) {
        report.tornTail = Damage(segment: segment.fileName, offsetBytes: offset, reason: reason)
        report.segmentsWithTruncatedTail += 1
        report.bytesDiscarded += discarded
    }

    /// The ending of the log if only unused space follows.
    private var endingWithoutRest: LogEnding {
        if closeEnd != nil { return .closed }
        guard headers.last?.version != 1 else { return scanner.length == wholeEnd ? .closed : .open }
        return isShort ? .cutShort : .open
    }

    private var isShort: Bool {
        guard let header = headers.last, header.version != 1 else { return false }
        return scanner.length < header.reservedBytes
    }

    /// Whether the record at `start` can be read now: a concurrent writer may have written it, or a read may have failed.
    private mutating func reads(at start: UInt64) throws(EngineError) -> Bool {
        let (storage, name, hooks) = (storage, segment.fileName, hooks)
        var fresh = try throughStorage { () throws(StorageError) in
            try SegmentScanner(try storage.openForReading(name), hooks: hooks)
        }
        let step = try throughStorage { () throws(StorageError) in
            _ = try fresh.next()
            fresh.move(to: start)
            return try fresh.next()
        }
        var batch = batch
        guard start > 0, closeEnd == nil, case .frame(let frame) = step, frame.lsn == nextLSN, frame.type != .segment,
            frame.type == .close ? batch.isClosed : batch.take(frame)
        else { return false }
        fresh.move(to: start)
        scanner = fresh
        return true
    }

    /// Searches the whole records from `start` on for a proof that a missing record was durable.
    private mutating func judge(from start: UInt64, before end: UInt64) throws(EngineError) -> LogEnding {
        let missing = nextLSN
        var count = 0
        var proof: DurabilityProof?
        try throughStorage { () throws(StorageError) in
            var from = start
            while try scanner.findFrame(from: from, before: end), case .frame(let frame) = try scanner.next() {
                from = scanner.position
                if proof == nil, SegmentHeader.lsns.contains(frame.lsn) {
                    proof = DurabilityProof(frame, missing: missing, version: scanner.version)
                }
                if frame.type != .close { count += 1 }
            }
        }
        if let proof { return .damaged(proof, recordsBehind: count) }
        return scanner.version == 1 ? .undecidable(recordsBehind: count) : .torn(recordsBehind: count)
    }

    private mutating func usedCount(from start: UInt64) throws(EngineError) -> UInt64 {
        try throughStorage { () throws(StorageError) in
            scanner.move(to: start)
            return try scanner.distanceToLastUsedByte()
        }
    }
}

extension DurabilityProof {
    /// The proof in a whole frame after the place of the record `missing`; nil if a crash can cause both.
    fileprivate init?(_ frame: Frame, missing: UInt64, version: UInt8?) {
        let offset = UInt64(frame.offsetBytes)
        if frame.durableLSN >= missing {
            self =
                frame.type == .close
                ? .close(offsetBytes: offset)
                : .laterRecord(LSN(frame.lsn), offsetBytes: offset, durableLSN: LSN(frame.durableLSN))
        } else if frame.type != .close, frame.lsn < missing, version != 1 {
            self = .lowerNumber(LSN(frame.lsn), offsetBytes: offset, expected: LSN(missing))
        } else {
            return nil
        }
    }
}
