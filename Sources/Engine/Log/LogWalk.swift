import Bytes
import Storage

/// Walks over the records of a shard, segment by segment, and finds the longest valid prefix of its log. It changes
/// nothing on storage, and is the one place that knows which bytes are records: recovery and readers use it alike.
///
/// A crash can tear the last segment alone: a segment is begun only when the one before it is durable. So whatever is no
/// record at the end of the last segment is a torn tail, which is dropped and reported, and anything wrong before that
/// is damage, which is an error, or is skipped and reported under `DamagePolicy.skipDamaged`.
///
/// The parts of a batch come before its commit is known to follow; at the end of the last segment it may be missing.
struct LogWalk<Planted: Defects>: ~Copyable {
    private let storage: any Storage
    private let policy: DamagePolicy
    private let defects: Planted
    private let names: [SegmentName]
    /// How many segments were opened.
    private var openedCount = 0

    private var scanner: SegmentScanner<Planted>
    /// Whether the scanner stands in a segment.
    private var isReading = false
    private var batch = OpenBatch()
    /// Where the last whole record or batch ends.
    private var wholeEnd: UInt64 = 0
    /// The LSN before the next record. Nil until the first segment has said where the log begins.
    private var lastLSN: UInt64?
    /// Damage was skipped since the last whole record, so that the next LSN may lie further ahead.
    private var mayJump = false

    /// The headers of the segments that were opened.
    private(set) var headers: [SegmentHeader] = []
    /// Complete when the walk has ended.
    private(set) var report = RecoveryReport()
    /// The last segment, when the walk has ended; nil when there is none.
    private(set) var tail: LogTail?

    /// The segment of the last record.
    var segment: SegmentName { names[openedCount - 1] }

    /// Begins with the segment that holds `first`, or with the first that exists.
    init(
        storage: any Storage, shard: UInt16, policy: DamagePolicy, defects: Planted, from first: LSN = .none
    ) throws(EngineError) {
        let names = try throughStorage { () throws(StorageError) in try storage.list() }
            .compactMap(SegmentName.init).filter { $0.shard == shard }.sorted()
        var skipped = 0
        while first != .none, skipped < names.count - 1 {
            let next = try Self.header(of: names[skipped + 1], in: storage, defects: defects)
            guard let next, next.baseLSN <= first.rawValue else { break }
            skipped += 1
        }
        self.storage = storage
        self.policy = policy
        self.defects = defects
        self.names = names
        openedCount = skipped
        scanner = SegmentScanner(nothing: defects)
    }

    private static func header(
        of name: SegmentName, in storage: any Storage, defects: Planted
    ) throws(EngineError) -> SegmentHeader? {
        try throughStorage { () throws(StorageError) in
            let file = try storage.openForReading(name.fileName)
            var scanner = try SegmentScanner(file, defects: defects, windowSizeBytes: SegmentHeader.sizeBytes)
            guard case .frame(let frame) = try scanner.next() else { return nil }
            return SegmentHeader(frame)
        }
    }

    /// The next record, or nil at the end. Its memory is valid until the next call.
    mutating func next() throws(EngineError) -> Frame? {
        while true {
            if !isReading, try !openNext() { return nil }
            let start = scanner.position
            let step = try throughStorage { () throws(StorageError) in try scanner.confirmedNext() }
            let reason: DamageReason?
            switch step {
            case .frame(let frame):
                reason = take(frame)
                if reason == nil { return frame }
            case .damaged(let damage): reason = damage
            case .end: reason = batch.isClosed ? nil : .incompleteBatch
            }
            if openedCount == names.count {
                if defects.has(.segmentRecycled), try findStaleRecord() { continue }
                try endLast(at: start, reason)
                return nil
            }
            try endSealed(at: start, reason)
        }
    }

    /// Judges whether a whole record follows what came before it, and counts it.
    @inline(__always)
    private mutating func take(_ frame: Frame) -> DamageReason? {
        if defects.has(.batchUncommitted) || defects.has(.segmentRecycled) { return takeCarelessly(frame) }
        let last = lastLSN ?? 0
        let expected = last + UInt64(batch.count) + 1
        if frame.type == .segment { return .misplacedSegmentHeader }
        guard frame.lsn == expected || jumps(to: frame.lsn, over: expected) else {
            return .wrongLSN(found: LSN(frame.lsn), expected: LSN(expected))
        }
        let recordCount = batch.count + 1
        guard batch.take(frame) else { return .incompleteBatch }
        if batch.isClosed {
            report.recordsReplayed += recordCount
            lastLSN = frame.lsn
            mayJump = false
            wholeEnd = scanner.position
        }
        return nil
    }

    /// Plants `batch-uncommitted` and `segment-recycled`.
    private mutating func takeCarelessly(_ frame: Frame) -> DamageReason? {
        if frame.type == .segment { return .misplacedSegmentHeader }
        let isPart = defects.has(.segmentRecycled) && !batch.take(frame)
        if isPart { return .incompleteBatch }
        report.recordsReplayed += 1
        lastLSN = frame.lsn
        if batch.isClosed { wholeEnd = scanner.position }
        return nil
    }

    private func jumps(to lsn: UInt64, over expected: UInt64) -> Bool {
        mayJump && batch.isClosed && lsn > expected && SegmentHeader.lsns.contains(lsn)
    }

    // MARK: Beginning a segment

    /// False when there is no further segment to read.
    private mutating func openNext() throws(EngineError) -> Bool {
        guard openedCount < names.count else {
            report.lastLSN = LSN(lastLSN ?? 0)
            return false
        }
        let name = names[openedCount]
        if let previous = headers.last?.name, name.sequence != previous.sequence + 1 {
            let missing = SegmentName(shard: name.shard, sequence: name.sequence - 1)
            try skipOrThrow(name, 0, .missingSegment(missing.fileName))
        }
        openedCount += 1
        report.filesScanned += 1
        batch = OpenBatch()
        let storage = storage
        let defects = defects
        scanner = try throughStorage { () throws(StorageError) in
            try SegmentScanner(try storage.openForReading(name.fileName), defects: defects)
        }
        isReading = true
        try readHeader(name)
        return isReading || openedCount < names.count
    }

    private mutating func readHeader(_ name: SegmentName) throws(EngineError) {
        let step = try throughStorage { () throws(StorageError) in try scanner.confirmedNext() }
        if case .frame(let frame) = step, let header = SegmentHeader(frame), header.name == name {
            if let lastLSN, header.baseLSN != lastLSN + 1, !mayJump || header.baseLSN <= lastLSN {
                try skipOrThrow(name, 0, .wrongLSN(found: LSN(header.baseLSN), expected: LSN(lastLSN + 1)))
            }
            lastLSN = max(header.baseLSN - 1, lastLSN ?? 0)
            mayJump = false
            wholeEnd = scanner.position
            headers.append(header)
            return
        }
        let isLast = openedCount == names.count
        if case .damaged(let reason) = step, reason.isUnsupported { try refuse(name, reason, isLast: isLast) }
        // The header is durable before a record follows it. Records without a header are no work of a crash.
        let holdsRecords = try throughStorage { () throws(StorageError) in
            scanner.move(to: 0)
            return try scanner.findNextFrame()
        }
        if isLast && !holdsRecords {
            try endUnborn(name)
        } else {
            try refuse(name, .wrongSegmentHeader, isLast: isLast)
            headers.append(SegmentHeader(name: name, baseLSN: (lastLSN ?? 0) + 1))
        }
    }

    // MARK: Ending a segment

    /// The last segment was being created when the crash came.
    private mutating func endUnborn(_ name: SegmentName) throws(EngineError) {
        let used = try throughStorage { () throws(StorageError) in
            scanner.move(to: 0)
            return try scanner.distanceToLastUsedByte()
        }
        if used > 0 { noteTornTail(used, at: 0, .wrongSegmentHeader) }
        tail = LogTail(name: name, header: nil, endBytes: 0, lengthBytes: scanner.length)
        report.lastLSN = LSN(lastLSN ?? 0)
        isReading = false
    }

    /// The end of the last segment: everything behind the last whole record is none.
    private mutating func endLast(at start: UInt64, _ reason: DamageReason?) throws(EngineError) {
        let name = segment
        if let reason, reason.isUnsupported {
            throw .damaged(Damage(segment: name.fileName, offsetBytes: start, reason: reason))
        }
        let end = wholeEnd
        let discarded = try throughStorage { () throws(StorageError) in
            scanner.move(to: end)
            return try scanner.distanceToLastUsedByte()
        }
        if reason != nil || discarded > 0 { noteTornTail(discarded, at: end, reason ?? .bytesAfterEnd) }
        tail = LogTail(name: name, header: headers.last, endBytes: end, lengthBytes: scanner.length)
        report.lastLSN = LSN(lastLSN ?? 0)
        isReading = false
    }

    /// The end of a sealed segment, or damage in it. After damage that is skipped, reading goes on behind it.
    private mutating func endSealed(at start: UInt64, _ reason: DamageReason?) throws(EngineError) {
        var found = reason
        if found == nil {
            let used = try throughStorage { () throws(StorageError) in try scanner.distanceToLastUsedByte() }
            if used > 0 { found = .bytesAfterEnd }
        }
        guard let found else {
            isReading = false
            return
        }
        try skipOrThrow(segment, start, found)
        batch = OpenBatch()
        let goesOn = try throughStorage { () throws(StorageError) in
            scanner.move(to: start)
            return try scanner.findNextFrame()
        }
        if !goesOn { isReading = false }
    }

    /// Plants `segment-recycled`.
    private mutating func findStaleRecord() throws(EngineError) -> Bool {
        batch = OpenBatch()
        return try throughStorage { () throws(StorageError) in try scanner.findNextFrame() }
    }

    private mutating func noteTornTail(_ discarded: UInt64, at offset: UInt64, _ reason: DamageReason) {
        report.tornTail = Damage(segment: segment.fileName, offsetBytes: offset, reason: reason)
        report.segmentsWithTruncatedTail += 1
        report.bytesDiscarded += discarded
    }

    // MARK: Damage

    /// Damage that no crash explains, and that the policy may skip, but never in the segment that will be written to.
    private mutating func refuse(_ name: SegmentName, _ reason: DamageReason, isLast: Bool) throws(EngineError) {
        if isLast { throw .damaged(Damage(segment: name.fileName, offsetBytes: 0, reason: reason)) }
        try skipOrThrow(name, 0, reason)
    }

    private mutating func skipOrThrow(
        _ name: SegmentName, _ offset: UInt64, _ reason: DamageReason
    ) throws(EngineError) {
        let damage = Damage(segment: name.fileName, offsetBytes: offset, reason: reason)
        guard policy == .skipDamaged else { throw .damaged(damage) }
        report.midStreamErrors.append(damage)
        mayJump = true
    }
}

/// The last segment as a walk found it.
struct LogTail {
    var name: SegmentName
    /// Nil for a segment that was being created when the crash came: it never held a record.
    var header: SegmentHeader?
    /// Where its last whole record ends.
    var endBytes: UInt64
    var lengthBytes: UInt64
}
