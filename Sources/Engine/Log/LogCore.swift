import Bytes
import Platform
import Storage

/// The location of a record.
struct Place: Hashable, Sendable {
    var lsn: UInt64
    var sequence: UInt32
    var offsetBytes: UInt32
}

/// The writer of one shard's log: append, write out, sync, rotate.
///
/// An append reserves space with one atomic exchange, encodes its record into the ring there, and publishes it. A thread
/// that needs records on storage (a sync, a reader, an append that finds the ring full) writes out all published records in
/// order, up to the first that is still being encoded. Syncs are grouped: one thread leads, and its fsync covers all records
/// that were written out before; the others wait for it.
///
/// Invariants
/// - `flushedLSN` ≤ last reserved LSN; `durableLSN` ≤ `flushedLSN`. All three only grow.
/// - Positions number the bytes of the log since it was opened; the position of a record determines its location in the ring
///   and in its segment.
/// - The active segment changes only while the reservation word is sealed and all reserved records are written out.
/// - After a failed write or sync the log is poisoned: nothing is reserved, written or acknowledged any more. The kernel
///   reports an error to only one sync, so every sync of a file goes through the one leader.
///
/// Thread safe. Appends wait for each other only when the ring is full and while a segment is replaced. Lock order:
/// `writeGate`, then `sealGate`.
///
/// Not handled: a thread that dies while it encodes (threads do not die alone).
final class LogCore<C: Coordination, H: Hooks>: @unchecked Sendable {
    let storage: any Storage
    let options: LogOptions
    let hooks: H
    let shard: UInt16
    /// The report of the recovery when the log was opened.
    let recoveryReport: RecoveryReport

    let words = C.Words(count: Word.count, name: "log")
    let ring: RecordRing<C>

    /// Held while records are written out and while the active segment is replaced.
    let writeGate = C.Gate(name: "write gate")
    var active: ActiveSegment
    /// Threads with a reservation may read it, because the segment stays until their records are written out.
    var base: SegmentBase

    /// Guards `ending`, and the condition on which threads wait for a seal to be broken.
    let sealGate = C.Gate(name: "seal gate")
    var ending: EngineError?

    /// All existing segments, the active one last. Guarded by `writeGate`.
    var segments: [SegmentHeader]
    /// Held while segments are removed.
    let removal = C.Gate(name: "removal gate")

    /// Continues a recovered log, or begins a new one. The directory must be locked.
    ///
    /// Throws `damagedTail`, and changes nothing, if durable records are missing from the end.
    init(
        storage: any Storage, options: LogOptions, recovered: RecoveredLog, hooks: H
    ) throws(EngineError) {
        self.storage = storage
        self.options = options
        self.hooks = hooks
        shard = recovered.shard
        ring = RecordRing(capacityBytes: options.bufferSizeBytes)
        try Self.check(recovered, options)
        var (report, lastLSN) = (recovered.report, recovered.report.lastLSN.rawValue)
        let start = try throughStorage { () throws(StorageError) in
            for name in recovered.leftovers { try storage.unlink(name) }
            guard let tail = recovered.tail else {
                let name = SegmentName(shard: recovered.shard, sequence: 1)
                return try LogStart(beginning: name, in: storage, options: options)
            }
            if report.isTailKept {
                report.setAsideFile = try DroppedTail.setAside(tail, in: storage)
            }
            return try LogStart(
                behind: tail, lastLSN: lastLSN, isReplaced: tail.mayHoldAcknowledged, in: storage, options: options,
                hooks: hooks)
        }
        recoveryReport = report
        active = start.segment
        let header = active.header
        if hooks.skips(.countLastRecord), lastLSN >= header.baseLSN { lastLSN -= 1 }
        segments = recovered.headers
        if segments.last?.name != header.name { segments.append(header) }
        base = SegmentBase(
            sequence: header.name.sequence, lsn: header.baseLSN, position: Self.firstPosition - start.endBytes)
        let place = Reservation(count: lastLSN + 1 - header.baseLSN, endBytes: start.endBytes)
        words.store(place.rawValue, at: Word.reservation)
        words.store(Self.firstPosition, at: Word.flushedPosition)
        words.store(lastLSN, at: Word.flushedLSN)
        words.store(lastLSN, at: Word.durableLSN)
    }

    /// Throws if nothing may be written after the recovered records.
    private static func check(_ recovered: RecoveredLog, _ options: LogOptions) throws(EngineError) {
        guard let tail = recovered.tail, let header = tail.header else { return }
        let next = recovered.report.lastLSN.rawValue + 1
        // Only a recovery with the planted bug that accepts stale records can end before the last segment.
        guard header.baseLSN <= next else {
            let reason = DamageReason.wrongLSN(found: LSN(header.baseLSN), expected: LSN(next))
            throw .damaged(Damage(segment: tail.name.fileName, offsetBytes: 0, reason: reason))
        }
        if header.version != Frame.version, tail.name.sequence == .max { throw .exhausted }
        if case .damaged(let proof, _) = tail.ending, options.damagedTail == .refuse,
            let damage = recovered.report.tornTail
        {
            throw .damagedTail(damage, proof)
        }
    }

    /// The first position of an opened log. It is larger than any segment, so that the first byte of every segment has a
    /// position, also after a truncation.
    private static var firstPosition: UInt64 { 1 << 32 }

    /// Appends one record. It is durable after a sync that begins after this has returned.
    func append(
        _ type: RecordType, key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) throws(EngineError) -> Place {
        try checkSizes(key.count, payload.count)
        let size = Frame.size(keyCount: key.count, payloadCount: payload.count)
        if hooks.skips(.freeRecord) { keepMemory() }
        let spot = try reserve(sizeBytes: size, count: 1)
        guard size <= ring.capacityBytes else {
            let frame = Frame.encoded(
                type, lsn: spot.lsn, unsyncedCount: unsyncedCount(before: spot.lsn), at: spot.offsetBytes,
                key: Array(key),
                payload: Array(payload))
            try writeThrough(frame, at: spot, count: 1)
            return spot.place
        }
        try waitForRoom(endPosition: spot.position + UInt64(size), lastLSN: spot.lsn)
        let unsyncedCount = unsyncedCount(before: spot.lsn)
        ring.encode(type, spot, unsyncedCount: unsyncedCount, key: key, payload: payload, sizeBytes: size)
        if fillsHalf(spot.position, size) { try writeHalf() }
        return spot.place
    }

    /// Appends one record, from arrays.
    @inline(__always)
    func append(_ type: RecordType, _ key: ByteString, _ payload: [UInt8]) throws(EngineError) -> Place {
        try key.bytes.withUnsafeBufferPointer { (key) throws(EngineError) in
            try payload.withUnsafeBufferPointer { (payload) throws(EngineError) in
                try append(type, key: UnsafeRawBufferPointer(key), payload: UnsafeRawBufferPointer(payload))
            }
        }
    }

    /// Appends records as a batch, of which recovery keeps all or none. Returns the location of each.
    func append(batch parts: [BatchPart]) throws(EngineError) -> [Place] {
        var size = Frame.size(keyCount: 0, payloadCount: OpenBatch.commitPayloadSizeBytes)
        for part in parts {
            try checkSizes(part.key.count, part.payload.count)
            size += part.frameSizeBytes
        }
        guard size <= LogLimits.batchSizeBytes, parts.count <= LogLimits.batchCount else {
            throw .batchTooLarge(count: parts.count, sizeBytes: size)
        }
        let spot = try reserve(sizeBytes: size, count: parts.count + 1)
        var frames: [UInt8] = []
        frames.reserveCapacity(size)
        var places: [Place] = []
        places.reserveCapacity(parts.count)
        var ends: [UInt64] = []
        for part in parts {
            let offset = spot.offsetBytes + UInt32(frames.count)
            places.append(Place(lsn: spot.lsn + UInt64(places.count), sequence: spot.sequence, offsetBytes: offset))
            frames += Frame.encoded(
                part.type, lsn: places.last!.lsn, unsyncedCount: unsyncedCount(before: places.last!.lsn), at: offset,
                key: part.key.bytes, payload: part.payload)
            ends.append(spot.position + UInt64(frames.count))
        }
        let last = spot.lsn + UInt64(parts.count)
        frames += Frame.encoded(
            .batchCommit, lsn: last, unsyncedCount: unsyncedCount(before: last),
            at: spot.offsetBytes + UInt32(frames.count), payload: OpenBatch.commitPayload(count: parts.count))
        ends.append(spot.position + UInt64(frames.count))
        guard size <= ring.capacityBytes, ends.count < ring.slotCount else {
            try writeThrough(frames, at: spot, count: ends.count)
            return places
        }
        try waitForRoom(endPosition: spot.position + UInt64(size), lastLSN: spot.lsn + UInt64(parts.count))
        frames.withUnsafeBytes { ring.copy($0, to: spot.position) }
        for (index, end) in ends.enumerated() { ring.publish(spot.lsn + UInt64(index), endPosition: end) }
        return places
    }

    /// The unsynced count of a record that is appended now.
    @inline(__always)
    private func unsyncedCount(before lsn: UInt64) -> UInt16 {
        Frame.unsyncedCount(lsn: lsn, durableLSN: words.load(Word.durableLSN))
    }

    private func checkSizes(_ keyCount: Int, _ payloadCount: Int) throws(EngineError) {
        if keyCount > LogLimits.keySizeBytes { throw .keyTooLarge(sizeBytes: keyCount) }
        if payloadCount > LogLimits.payloadSizeBytes { throw .payloadTooLarge(sizeBytes: payloadCount) }
    }

    /// The one atomic step of an append.
    @inline(__always)
    private func reserve(sizeBytes: Int, count: Int) throws(EngineError) -> Spot {
        while true {
            let word = Reservation(rawValue: words.load(Word.reservation))
            if word.isSealed {
                try waitWhileSealed()
            } else if word.endBytes + UInt64(sizeBytes) > UInt64(options.segmentSizeBytes) && word.count > 0 {
                try rotate(sealing: word)
            } else {
                let next = word.adding(count: count, sizeBytes: sizeBytes)
                if reserve(next, after: word) {
                    return Spot(
                        lsn: base.lsn + word.count, position: base.position + word.endBytes, sequence: base.sequence,
                        offsetBytes: UInt32(truncatingIfNeeded: word.endBytes))
                }
            }
        }
    }

    @inline(__always)
    private func reserve(_ next: Reservation, after word: Reservation) -> Bool {
        if hooks.skips(.reserveAtomically) { return reserveWithoutExchange(next) }
        return words.exchange(at: Word.reservation, expected: word.rawValue, desired: next.rawValue)
    }

    /// Waits until the ring has space up to `endPosition` and a slot for `lastLSN`.
    @inline(__always)
    private func waitForRoom(endPosition: UInt64, lastLSN: UInt64) throws(EngineError) {
        if hasRoom(endPosition, lastLSN) { return }
        try makeRoom(endPosition, lastLSN)
    }

    @inline(__always)
    private func hasRoom(_ endPosition: UInt64, _ lastLSN: UInt64) -> Bool {
        endPosition <= words.load(Word.flushedPosition) + UInt64(ring.capacityBytes)
            && lastLSN <= words.load(Word.flushedLSN) + UInt64(ring.slotCount - 1)
    }

    @inline(never)
    private func makeRoom(_ endPosition: UInt64, _ lastLSN: UInt64) throws(EngineError) {
        var round = 0
        while !hasRoom(endPosition, lastLSN) {
            try writeGate.withLock { () throws(EngineError) in try writeOut() }
            if !hasRoom(endPosition, lastLSN) { C.relax(&round) }
        }
    }

    /// Whether the record crosses the middle or the end of the ring.
    @inline(__always)
    private func fillsHalf(_ position: UInt64, _ size: Int) -> Bool {
        (position ^ (position + UInt64(size))) & ~UInt64(ring.capacityBytes / 2 - 1) != 0
    }

    /// Writes out one half of the ring while other threads fill the other half, so that they do not have to wait.
    @inline(never)
    private func writeHalf() throws(EngineError) {
        try writeGate.withLock { () throws(EngineError) in try writeOut() }
    }

    /// Writes a record that is too large for the ring, after all earlier records are written out.
    private func writeThrough(_ frames: [UInt8], at spot: Spot, count: Int) throws(EngineError) {
        var round = 0
        while true {
            let isDone = try writeGate.withLock { () throws(EngineError) in
                try writeOut()
                guard words.load(Word.flushedPosition) == spot.position else { return false }
                try frames.withUnsafeBufferPointer { (bytes) throws(EngineError) in
                    try write(UnsafeRawBufferPointer(bytes), at: spot.position)
                }
                advance(toLSN: spot.lsn + UInt64(count) - 1, position: spot.position + UInt64(frames.count))
                return true
            }
            if isDone { return }
            C.relax(&round)
        }
    }
}

/// The indices of the shared words of a log, one cache line each.
enum Word {
    static let reservation = 0
    static let flushedPosition = 8
    static let flushedLSN = 16
    static let durableLSN = 24
    static let hasEnded = 32
    /// A `SyncTurn`, on which threads wait for a sync.
    static let turn = 40
    /// The last LSN that the running sync covers, once it is announced.
    static let announcedLSN = 48
    static let count = 56
}

/// The base of the active segment, to which reservations are relative.
struct SegmentBase {
    var sequence: UInt32
    var lsn: UInt64
    /// The position of the segment's first byte.
    var position: UInt64
}

/// The space reserved by one append.
struct Spot {
    var lsn: UInt64
    var position: UInt64
    var sequence: UInt32
    var offsetBytes: UInt32

    var place: Place { Place(lsn: lsn, sequence: sequence, offsetBytes: offsetBytes) }
}
