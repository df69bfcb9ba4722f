import Bytes
import Storage

/// Reads every segment of a shard and finds the longest valid prefix of its log. It changes nothing on storage.
///
/// A crash can tear the last segment alone: a segment is begun only when the one before it is durable. So whatever is no
/// record at the end of the last segment is a torn tail, which is dropped and reported, and anything wrong before that
/// is damage, which is an error, or is skipped and reported under `DamagePolicy.skipDamaged`.
struct Recovery<Planted: Defects> {
    let storage: any Storage
    let shard: UInt16
    let policy: DamagePolicy
    let defects: Planted

    private(set) var report = RecoveryReport()
    /// The LSN before the next record. Nil until the first segment has said where the log begins.
    private var lastLSN: UInt64?
    /// Damage was skipped since the last whole record, so that the next LSN may lie further ahead.
    private var mayJump = false

    init(storage: any Storage, shard: UInt16, policy: DamagePolicy, defects: Planted) {
        self.storage = storage
        self.shard = shard
        self.policy = policy
        self.defects = defects
    }

    /// The last segment as recovery found it.
    struct Tail {
        var name: SegmentName
        /// Nil for a segment that was being created when the crash came: it never held a record.
        var header: SegmentHeader?
        /// Where its last whole record ends.
        var endBytes: UInt64
        var lengthBytes: UInt64
    }

    /// Visits the records in their order. The parts of a batch are visited before its commit is known to follow; at the
    /// end of the last segment it may be missing. Returns nil when there is no segment.
    mutating func run(
        visiting visit: (Frame, SegmentName) throws(EngineError) -> Void
    ) throws(EngineError) -> Tail? {
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
            .compactMap(SegmentName.init).filter { $0.shard == shard }.sorted()
        var tail: Tail?
        for name in names {
            if let previous = tail?.name, name.sequence != previous.sequence + 1 {
                let missing = SegmentName(shard: shard, sequence: name.sequence - 1)
                try skipOrThrow(name, 0, .missingSegment(missing.fileName))
            }
            tail = try replay(name, isLast: name == names.last, visit)
        }
        report.lastLSN = LSN(lastLSN ?? 0)
        return tail
    }

    private mutating func replay(
        _ name: SegmentName, isLast: Bool, _ visit: (Frame, SegmentName) throws(EngineError) -> Void
    ) throws(EngineError) -> Tail {
        report.filesScanned += 1
        var scanner = try throughStorage { () throws(StorageError) in
            try SegmentScanner(try storage.openForReading(name.fileName), defects: defects)
        }
        let header = try readHeader(name, &scanner, isLast: isLast)
        var end = scanner.position
        if header != nil || !isLast {
            end = try replayRecords(name, &scanner, isLast: isLast, visit)
        }
        return Tail(name: name, header: header, endBytes: header == nil ? 0 : end, lengthBytes: scanner.length)
    }

    private mutating func readHeader(
        _ name: SegmentName, _ scanner: inout SegmentScanner<Planted>, isLast: Bool
    ) throws(EngineError) -> SegmentHeader? {
        let step = try throughStorage { () throws(StorageError) in try scanner.next() }
        if case .frame(let frame) = step, let header = SegmentHeader(frame), header.name == name {
            if let lastLSN, header.baseLSN != lastLSN + 1 {
                let reason = DamageReason.wrongLSN(found: LSN(header.baseLSN), expected: LSN(lastLSN + 1))
                if !mayJump || header.baseLSN <= lastLSN { try skipOrThrow(name, 0, reason) }
            }
            lastLSN = max(header.baseLSN &- 1, lastLSN ?? 0)
            mayJump = false
            return header
        }
        if case .damaged(let reason) = step, reason.isUnsupported {
            try refuse(name, 0, reason, isLast: isLast)
        }
        // The header is durable before a record follows it. Records without a header are no work of a crash.
        let holdsRecords = try throughStorage { () throws(StorageError) in
            scanner.rewind()
            return try scanner.findNextFrame()
        }
        if isLast && !holdsRecords {
            let discarded = try throughStorage { () throws(StorageError) in
                scanner.rewind()
                return try scanner.distanceToLastUsedByte()
            }
            if discarded > 0 { noteTornTail(discarded) }
            return nil
        }
        try refuse(name, 0, .wrongSegmentHeader, isLast: isLast)
        return nil
    }

    /// Returns where the last whole record ends.
    private mutating func replayRecords(
        _ name: SegmentName, _ scanner: inout SegmentScanner<Planted>, isLast: Bool,
        _ visit: (Frame, SegmentName) throws(EngineError) -> Void
    ) throws(EngineError) -> UInt64 {
        var end = scanner.position
        var batch = OpenBatch()
        while true {
            let start = scanner.position
            let step = try throughStorage { () throws(StorageError) in try scanner.next() }
            var reason: DamageReason?
            switch step {
            case .frame(let frame):
                let wholeCount = batch.count + 1
                reason = order(frame, in: &batch)
                if reason == nil {
                    try visit(frame, name)
                    if batch.isClosed {
                        report.recordsReplayed += wholeCount
                        lastLSN = frame.lsn
                        mayJump = false
                        end = scanner.position
                    }
                    continue
                }
            case .damaged(let damage): reason = damage
            case .end: if !batch.isClosed { reason = .incompleteBatch }
            }
            if isLast {
                if let reason, reason.isUnsupported { throw .damaged(damage(name, start, reason)) }
                try closeTail(&scanner, at: end, isTorn: reason != nil)
                return end
            }
            if try endOfSealed(name, &scanner, at: start, reason) { return end }
            batch = OpenBatch()
        }
    }

    /// Judges whether a whole record follows what came before it, and advances.
    private func order(_ frame: Frame, in batch: inout OpenBatch) -> DamageReason? {
        if frame.type == .segment { return .misplacedSegmentHeader }
        let expected = (lastLSN ?? 0) + UInt64(batch.count) + 1
        guard frame.lsn == expected || (mayJump && batch.isClosed && frame.lsn > expected) else {
            return .wrongLSN(found: LSN(frame.lsn), expected: LSN(expected))
        }
        return batch.take(frame) ? nil : .incompleteBatch
    }

    /// Ends the last segment: everything behind `end` is no record.
    private mutating func closeTail(
        _ scanner: inout SegmentScanner<Planted>, at end: UInt64, isTorn: Bool
    ) throws(EngineError) {
        let discarded = try throughStorage { () throws(StorageError) in
            scanner.move(to: end)
            return try scanner.distanceToLastUsedByte()
        }
        if isTorn || discarded > 0 { noteTornTail(discarded) }
    }

    /// Returns true when the sealed segment is at its end, false when reading goes on behind damage.
    private mutating func endOfSealed(
        _ name: SegmentName, _ scanner: inout SegmentScanner<Planted>, at start: UInt64, _ reason: DamageReason?
    ) throws(EngineError) -> Bool {
        var found = reason
        if found == nil {
            let used = try throughStorage { () throws(StorageError) in try scanner.distanceToLastUsedByte() }
            if used == 0 { return true }
            found = .bytesAfterEnd
        }
        if let found { try skipOrThrow(name, start, found) }
        return try throughStorage { () throws(StorageError) in
            scanner.move(to: start)
            return try !scanner.findNextFrame()
        }
    }

    private mutating func noteTornTail(_ discarded: UInt64) {
        report.segmentsWithTruncatedTail += 1
        report.bytesDiscarded += discarded
    }

    /// Damage that no crash explains, and that the policy may skip, but never in the segment that will be written to.
    private mutating func refuse(
        _ name: SegmentName, _ offset: UInt64, _ reason: DamageReason, isLast: Bool
    ) throws(EngineError) {
        if isLast { throw .damaged(damage(name, offset, reason)) }
        try skipOrThrow(name, offset, reason)
    }

    private mutating func skipOrThrow(
        _ name: SegmentName, _ offset: UInt64, _ reason: DamageReason
    ) throws(EngineError) {
        let damage = damage(name, offset, reason)
        guard policy == .skipDamaged else { throw .damaged(damage) }
        report.midStreamErrors.append(damage)
        mayJump = true
    }

    private func damage(_ name: SegmentName, _ offset: UInt64, _ reason: DamageReason) -> Damage {
        Damage(segment: name.fileName, offsetBytes: offset, reason: reason)
    }
}

/// The batch whose parts are being read: it counts as nothing until its commit.
struct OpenBatch {
    /// Parts since the batch began, and the records that are complete with the one just taken.
    private(set) var count = 0

    var isClosed: Bool { count == 0 }

    /// False when the record has no place here: parts without a commit, or a commit that does not match.
    mutating func take(_ frame: Frame) -> Bool {
        switch frame.type {
        case .batchPut, .batchDelete:
            count += 1
            return true
        case .batchCommit:
            guard count > 0, frame.payload.count == Self.commitPayloadSizeBytes,
                frame.payload.littleEndian(UInt32.self, at: 0) == UInt32(count)
            else { return false }
            count = 0
            return true
        default:
            return count == 0
        }
    }

    /// A commit carries the number of its parts.
    static let commitPayloadSizeBytes = 4

    static func commitPayload(count: Int) -> [UInt8] {
        var payload: [UInt8] = []
        payload.appendLittleEndian(UInt32(count))
        return payload
    }
}
