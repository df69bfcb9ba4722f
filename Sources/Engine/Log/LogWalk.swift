import Bytes
import Storage

/// Walks over the records of a shard, segment by segment, and finds the longest valid prefix of its log. It changes nothing
/// on storage. It is the only code that decides which bytes are records; recovery and readers both use it.
///
/// A crash can tear only the last segment, because a segment is begun when the previous one is durable. Invalid bytes in an
/// earlier segment are damage: an error, or skipped and reported under `DamagePolicy.skipDamaged`. Invalid bytes at the end
/// of the last segment are a torn tail, unless later bytes prove that they were durable (`LogEnding`). Readers return the
/// records before it; a writer refuses a damaged tail (`LogCore`).
///
/// The parts of a batch are returned before its commit is read, which may be missing at the end of the last segment.
struct LogWalk<H: Hooks>: ~Copyable {
    let storage: any Storage
    private let policy: DamagePolicy
    private let damagedTail: DamagedTailPolicy
    let hooks: H
    private let names: [SegmentName]
    /// Replacement files of segments, left by a crash.
    let leftovers: [ByteString]
    /// The number of opened segments.
    private var openedCount = 0

    var scanner: SegmentScanner<H>
    /// Whether the scanner is in a segment.
    var isReading = false
    var batch = OpenBatch()
    /// The end of the last whole record or batch.
    var wholeEnd: UInt64 = 0
    /// The end of the close mark after it, if there is one.
    private(set) var closeEnd: UInt64?
    /// The LSN before the next record. nil until the header of the first segment is read.
    var lastLSN: UInt64?
    /// Whether damage was skipped since the last whole record, so that the next LSN may be larger.
    private var mayJump = false

    /// The headers of the opened segments.
    private(set) var headers: [SegmentHeader] = []
    /// Complete when the walk has ended.
    var report = RecoveryReport()
    /// The last segment, when the walk has ended; nil if there is none.
    var tail: LogTail?

    /// The segment of the last record.
    var segment: SegmentName { names[openedCount - 1] }

    /// The LSN that the next record must have.
    var nextLSN: UInt64 { (lastLSN ?? 0) + UInt64(batch.count) + 1 }

    private var isLast: Bool { openedCount == names.count }

    /// Begins with the segment that holds `first`, or with the first existing one.
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

    /// Checks that a whole record follows the previous one, and counts it.
    @inline(__always)
    private mutating func take(_ frame: Frame) -> DamageReason? {
        if hooks.skips(.awaitBatchCommit) || hooks.skips(.beginSegmentEmpty) { return acceptUnchecked(frame) }
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

    /// Checks whether the log was closed here: only unused space follows in this segment.
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

    /// False if there is no further segment.
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

    /// The end of a sealed segment, or damage in it. If the damage is skipped, reading continues after it.
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

    /// Damage that no crash can cause. The policy may skip it, but never in the segment that will be written to.
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
