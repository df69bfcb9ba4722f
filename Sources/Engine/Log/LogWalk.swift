import Bytes
import Storage

/// Walks over the records of a shard, segment by segment, and finds the longest valid prefix of its log. It changes
/// nothing on storage, and is the one place that knows which bytes are records: recovery and readers use it alike.
///
/// A crash can tear the last segment alone: a segment is begun only when the one before it is durable. So anything wrong
/// before the last segment is damage, which is an error, or is skipped and reported under `DamagePolicy.skipDamaged`.
/// Whatever is no record at the end of the last segment is a torn tail, unless what stands behind it proves that it was
/// durable: `LogEnding`. Readers show what lies before it; a writer refuses a damaged tail (`LogCore`).
///
/// The parts of a batch come before its commit is known to follow; at the end of the last segment it may be missing.
struct LogWalk<H: Hooks>: ~Copyable {
    let storage: any Storage
    private let policy: DamagePolicy
    private let damagedTail: DamagedTailPolicy
    let hooks: H
    private let names: [SegmentName]
    /// Files of segments that were being replaced when a crash came.
    let leftovers: [ByteString]
    /// How many segments were opened.
    private var openedCount = 0

    var scanner: SegmentScanner<H>
    /// Whether the scanner stands in a segment.
    var isReading = false
    var batch = OpenBatch()
    /// Where the last whole record or batch ends.
    var wholeEnd: UInt64 = 0
    /// Where the mark of a close ends that was read behind it.
    private(set) var closeEnd: UInt64?
    /// The LSN before the next record. Nil until the first segment has said where the log begins.
    var lastLSN: UInt64?
    /// Damage was skipped since the last whole record, so that the next LSN may lie further ahead.
    private var mayJump = false

    /// The headers of the segments that were opened.
    private(set) var headers: [SegmentHeader] = []
    /// Complete when the walk has ended.
    var report = RecoveryReport()
    /// The last segment, when the walk has ended; nil when there is none.
    var tail: LogTail?

    /// The segment of the last record.
    var segment: SegmentName { names[openedCount - 1] }

    /// The LSN that the next record must have.
    var nextLSN: UInt64 { (lastLSN ?? 0) + UInt64(batch.count) + 1 }

    private var isLast: Bool { openedCount == names.count }

    /// Begins with the segment that holds `first`, or with the first that exists.
    init(
        storage: any Storage, shard: UInt16, policy: DamagePolicy, damagedTail: DamagedTailPolicy = .refuse,
        hooks: H, from first: LSN = .none
    ) throws(EngineError) {
        let files = try throughStorage { () throws(StorageError) in try storage.list() }
        let names = files.compactMap(SegmentName.init).filter { $0.shard == shard }.sorted()
        let leftovers = files.filter { SegmentName.replaced(by: $0)?.shard == shard }.sorted()
        var skipped = 0
        while first != .none, skipped < names.count - 1 {
            let next = try Self.header(of: names[skipped + 1], in: storage, hooks: hooks)
            guard let next, next.baseLSN <= first.rawValue else { break }
            skipped += 1
        }
        self.storage = storage
        self.policy = policy
        self.damagedTail = damagedTail
        self.hooks = hooks
        self.names = names
        self.leftovers = leftovers
        openedCount = skipped
        scanner = SegmentScanner(nothing: hooks)
    }

    private static func header(
        of name: SegmentName, in storage: any Storage, hooks: H
    ) throws(EngineError) -> SegmentHeader? {
        try throughStorage { () throws(StorageError) in
            let file = try storage.openForReading(name.fileName)
            var scanner = try SegmentScanner(file, hooks: hooks, windowSizeBytes: SegmentHeader.sizeBytes)
            guard case .frame(let frame) = try scanner.next() else { return nil }
            return SegmentHeader(frame, version: scanner.version)
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
            case .frame(let frame) where frame.type == .close: reason = takeClose(frame)
            case .frame(let frame):
                reason = take(frame)
                if reason == nil { return frame }
            case .damaged(let damage): reason = damage
            case .end: reason = batch.isClosed ? nil : .incompleteBatch
            }
            if isLast {
                if hooks.skips(.beginSegmentEmpty), try findStaleRecord() { continue }
                if try endLast(at: start, reason) { return nil }
            } else {
                try endSealed(at: start, reason)
            }
        }
    }

    /// Judges whether a whole record follows what came before it, and counts it.
    @inline(__always)
    private mutating func take(_ frame: Frame) -> DamageReason? {
        if hooks.skips(.awaitBatchCommit) || hooks.skips(.beginSegmentEmpty) { return takeCarelessly(frame) }
        let expected = nextLSN
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

    /// Judges whether the log was closed here: nothing but unused space follows in this segment.
    private mutating func takeClose(_ frame: Frame) -> DamageReason? {
        guard batch.isClosed else { return .incompleteBatch }
        guard frame.lsn == nextLSN || hooks.skips(.beginSegmentEmpty) else {
            return .wrongLSN(found: LSN(frame.lsn), expected: LSN(nextLSN))
        }
        closeEnd = scanner.position
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
        closeEnd = nil
        let storage = storage
        let hooks = hooks
        scanner = try throughStorage { () throws(StorageError) in
            try SegmentScanner(try storage.openForReading(name.fileName), hooks: hooks)
        }
        isReading = true
        try readHeader(name)
        return isReading || openedCount < names.count
    }

    private mutating func readHeader(_ name: SegmentName) throws(EngineError) {
        let step = try throughStorage { () throws(StorageError) in try scanner.confirmedNext() }
        if case .frame(let frame) = step, let header = SegmentHeader(frame, version: scanner.version),
            header.name == name
        {
            if let lastLSN, header.baseLSN != lastLSN + 1, !mayJump || header.baseLSN <= lastLSN {
                try skipOrThrow(name, 0, .wrongLSN(found: LSN(header.baseLSN), expected: LSN(lastLSN + 1)))
            }
            lastLSN = max(header.baseLSN - 1, lastLSN ?? 0)
            mayJump = false
            wholeEnd = scanner.position
            headers.append(header)
            return
        }
        if case .damaged(let reason) = step, reason.isUnsupported { try refuse(name, reason) }
        if isLast { return try endWithoutHeader(isOnly: names.count == 1, damagedTail) }
        try skipOrThrow(name, 0, .wrongSegmentHeader)
        headers.append(SegmentHeader(name: name, baseLSN: (lastLSN ?? 0) + 1))
        if try !throughStorage({ () throws(StorageError) in try scanner.findFrame(from: 0) }) { isReading = false }
    }

    // MARK: Ending a segment

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
        let goesOn = try throughStorage { () throws(StorageError) in try scanner.findFrame(from: start + 1) }
        if !goesOn { isReading = false }
    }

    // MARK: Damage

    /// Damage that no crash explains, and that the policy may skip, but never in the segment that will be written to.
    private mutating func refuse(_ name: SegmentName, _ reason: DamageReason) throws(EngineError) {
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
