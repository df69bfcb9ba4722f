import Bytes
import Storage

/// Where a record lies.
struct Place: Hashable, Sendable {
    var lsn: UInt64
    var sequence: UInt32
    var offsetBytes: UInt32
}

/// The writer of one shard's log: append, write out, sync, rotate.
///
/// An append reserves its place with one atomic exchange, encodes its record into the ring there, and publishes it.
/// Whoever needs records on storage (a sync, a reader, an append that finds the ring full) writes out every published
/// record in order, up to the first that is still being encoded. Syncs form groups: one thread leads, and its one sync
/// covers everything that was written out before; the others wait for it.
///
/// Invariants
/// - `flushedLSN` ≤ last reserved LSN; `durableLSN` ≤ `flushedLSN`. All three only grow.
/// - Positions number the bytes of the log since it was opened; a record's position fixes its place in the ring and in
///   its segment. Slot `lsn % slotCount` holds the end position of the last published record of that slot, so that a
///   record is published exactly when its slot lies beyond its start: nothing is ever cleared.
/// - The active segment changes only while the reservation word is sealed and everything reserved is written out.
/// - After a failed write or sync the log is poisoned: nothing is reserved, written or acknowledged any more. An error
///   is reported to one sync alone by the kernel, so every sync of a file goes through the one leader.
///
/// Threads: everything may be called from many at once. Appends wait for each other only when the ring is full and while
/// a segment is replaced. Lock order: `writeGate`, then `turn`.
///
/// Not modelled: a writer that dies while it encodes (threads do not die alone), and a lock per file range.
final class LogCore<C: Coordination, Planted: Defects>: @unchecked Sendable {
    let storage: any Storage
    let options: LogOptions
    let defects: Planted

    private let words = C.Words(count: Word.count)
    private let slots: C.Words
    private let slotMask: UInt64
    private let ring: RecordRing

    /// Held while records are written out and while the active segment is replaced.
    private let writeGate = C.Gate()
    private var active: ActiveSegment
    /// Read by whoever has reserved a place, because the segment stays until that place is written out.
    private var base: SegmentBase

    /// Guards `isSyncing` and `ending`; its condition says that one of them, or `durableLSN`, or the seal has changed.
    private let turn = C.Gate()
    private var isSyncing = false
    private var ending: EngineError?

    /// Goes on with a log that recovery has read, or begins one. Nothing but this writes to the directory meanwhile.
    init(
        storage: any Storage, shard: UInt16, options: LogOptions, recovered tail: Recovery<Planted>.Tail?,
        lastLSN: UInt64, defects: Planted
    ) throws(EngineError) {
        self.storage = storage
        self.options = options
        self.defects = defects
        ring = RecordRing(capacityBytes: options.bufferSizeBytes)
        let slotCount = max(64, options.bufferSizeBytes / 64)
        slots = C.Words(count: slotCount)
        slotMask = UInt64(slotCount - 1)
        let baseLSN = tail?.header?.baseLSN ?? lastLSN + 1
        active = try throughStorage { () throws(StorageError) in
            if let tail {
                return try .resume(tail, baseLSN: baseLSN, in: storage, options: options)
            }
            let header = SegmentHeader(name: SegmentName(shard: shard, sequence: 1), baseLSN: baseLSN)
            return try .begin(header, in: storage, options: options)
        }
        base = SegmentBase(sequence: active.name.sequence, lsn: baseLSN, position: 0)
        let end = tail?.header == nil ? UInt64(SegmentHeader.sizeBytes) : tail!.endBytes
        words.store(Reservation(count: lastLSN + 1 - baseLSN, endBytes: end).rawValue, at: Word.reservation)
        words.store(end, at: Word.flushedPosition)
        words.store(lastLSN, at: Word.flushedLSN)
        words.store(lastLSN, at: Word.durableLSN)
    }

    // MARK: Append

    /// Appends one record. It is durable after a sync that begins when this has returned.
    func append(
        _ type: RecordType, key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) throws(EngineError) -> Place {
        try checkSizes(key.count, payload.count)
        let size = Frame.size(keyCount: key.count, payloadCount: payload.count)
        let spot = try reserve(sizeBytes: size, count: 1)
        guard size <= ring.capacityBytes else {
            try writeThrough(
                Frame.encoded(type, lsn: spot.lsn, key: Array(key), payload: Array(payload)), at: spot, count: 1)
            return spot.place
        }
        try waitForRoom(endPosition: spot.position + UInt64(size), lastLSN: spot.lsn)
        encode(type, lsn: spot.lsn, key, payload, at: spot.position, sizeBytes: size)
        return spot.place
    }

    /// Appends records that recovery keeps all or none of. Returns the place of each.
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
            frames += Frame.encoded(part.type, lsn: places.last!.lsn, key: part.key.bytes, payload: part.payload)
            ends.append(spot.position + UInt64(frames.count))
        }
        let commit = OpenBatch.commitPayload(count: parts.count)
        frames += Frame.encoded(.batchCommit, lsn: spot.lsn + UInt64(parts.count), payload: commit)
        ends.append(spot.position + UInt64(frames.count))
        guard size <= ring.capacityBytes, ends.count <= Int(slotMask) else {
            try writeThrough(frames, at: spot, count: ends.count)
            return places
        }
        try waitForRoom(endPosition: spot.position + UInt64(size), lastLSN: spot.lsn + UInt64(parts.count))
        frames.withUnsafeBytes { ring.copy($0, to: spot.position) }
        for (index, end) in ends.enumerated() { slots.store(end, at: slot(spot.lsn + UInt64(index))) }
        return places
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
                if words.exchange(at: Word.reservation, expected: word.rawValue, desired: next.rawValue) {
                    return Spot(
                        lsn: base.lsn + word.count, position: base.position + word.endBytes, sequence: base.sequence,
                        offsetBytes: UInt32(truncatingIfNeeded: word.endBytes))
                }
            }
        }
    }

    @inline(__always)
    private func encode(
        _ type: RecordType, lsn: UInt64, _ key: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer,
        at position: UInt64, sizeBytes: Int
    ) {
        if let target = ring.contiguous(position, sizeBytes) {
            Frame.encode(type, lsn: lsn, key: key, payload: payload, into: target)
        } else {
            withUnsafeTemporaryAllocation(byteCount: sizeBytes, alignment: 8) { frame in
                Frame.encode(type, lsn: lsn, key: key, payload: payload, into: frame)
                ring.copy(UnsafeRawBufferPointer(frame), to: position)
            }
        }
        slots.store(position + UInt64(sizeBytes), at: slot(lsn))
    }

    @inline(__always)
    private func slot(_ lsn: UInt64) -> Int { Int(lsn & slotMask) }

    /// Waits until the ring has room for everything up to `endPosition` and a slot for `lastLSN`.
    @inline(__always)
    private func waitForRoom(endPosition: UInt64, lastLSN: UInt64) throws(EngineError) {
        if hasRoom(endPosition, lastLSN) { return }
        try makeRoom(endPosition, lastLSN)
    }

    @inline(__always)
    private func hasRoom(_ endPosition: UInt64, _ lastLSN: UInt64) -> Bool {
        endPosition <= words.load(Word.flushedPosition) + UInt64(ring.capacityBytes)
            && lastLSN <= words.load(Word.flushedLSN) + slotMask
    }

    @inline(never)
    private func makeRoom(_ endPosition: UInt64, _ lastLSN: UInt64) throws(EngineError) {
        var round = 0
        while !hasRoom(endPosition, lastLSN) {
            try writeGate.withLock { () throws(EngineError) in try writeOut() }
            if !hasRoom(endPosition, lastLSN) { C.relax(&round) }
        }
    }

    /// Writes what is too large for the ring, once everything before it is written out.
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

    // MARK: Write out

    /// Writes every published record that follows the last one written, without a gap. Under `writeGate`.
    private func writeOut() throws(EngineError) {
        try throwIfPoisoned()
        let start = words.load(Word.flushedPosition)
        var lsn = words.load(Word.flushedLSN)
        var end = start
        while true {
            let published = slots.load(slot(lsn + 1))
            if published <= end { break }
            end = published
            lsn += 1
        }
        guard end > start else { return }
        let (first, second) = ring.pieces(start, Int(end - start))
        try write(first, at: start)
        try write(second, at: start + UInt64(first.count))
        advance(toLSN: lsn, position: end)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(EngineError) {
        do throws(StorageError) { try active.write(bytes, at: position - base.position) } catch { throw poison(error) }
    }

    private func advance(toLSN lsn: UInt64, position: UInt64) {
        words.store(lsn, at: Word.flushedLSN)
        words.store(position, at: Word.flushedPosition)
    }

    /// Returns when the record is in its file, where readers find it; durable it is only after a sync.
    func writeOut(through lsn: UInt64) throws(EngineError) {
        var round = 0
        while words.load(Word.flushedLSN) < lsn {
            try writeGate.withLock { () throws(EngineError) in try writeOut() }
            if words.load(Word.flushedLSN) < lsn { C.relax(&round) }
        }
    }

    // MARK: Sync

    var durableLSN: UInt64 { words.load(Word.durableLSN) }

    /// The LSN of the last record that was appended or is being appended.
    var lastLSN: UInt64 {
        writeGate.withLock { base.lsn + Reservation(rawValue: words.load(Word.reservation)).count - 1 }
    }

    /// Returns when everything that was appended before the call is durable.
    func sync() throws(EngineError) { try sync(through: lastLSN) }

    /// Returns when the record and everything before it is durable.
    func sync(through lsn: UInt64) throws(EngineError) {
        if words.load(Word.durableLSN) >= lsn { return }
        turn.lock()
        defer { turn.unlock() }
        while words.load(Word.durableLSN) < lsn {
            if let ending { throw ending }
            if isSyncing {
                turn.wait()
                continue
            }
            isSyncing = true
            turn.unlock()
            let result = writeAndSync(through: lsn)
            turn.lock()
            isSyncing = false
            if case .success(let reached) = result { words.store(reached, at: Word.durableLSN) }
            turn.wakeAll()
            _ = try result.get()
        }
    }

    /// The leader's part. Returns the last LSN that is durable now.
    private func writeAndSync(through lsn: UInt64) -> Result<UInt64, EngineError> {
        var round = 0
        do throws(EngineError) {
            while true {
                let (reached, file) = try writeGate.withLock { () throws(EngineError) in
                    try writeOut()
                    return (words.load(Word.flushedLSN), active.file)
                }
                if reached >= lsn {
                    do throws(StorageError) { try file.sync() } catch { throw poison(error) }
                    return .success(reached)
                }
                C.relax(&round)
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: Rotation, end

    /// Begins a new segment, unless the active one holds no record.
    func rotate() throws(EngineError) {
        while true {
            let word = Reservation(rawValue: words.load(Word.reservation))
            if word.isSealed {
                try waitWhileSealed()
            } else if word.count == 0 {
                return
            } else if try rotate(sealing: word) {
                return
            }
        }
    }

    /// Replaces the active segment, if the reservation word is still `word`: else another thread was faster.
    @inline(never) @discardableResult
    private func rotate(sealing word: Reservation) throws(EngineError) -> Bool {
        let sealed = word.sealed.rawValue
        guard words.exchange(at: Word.reservation, expected: word.rawValue, desired: sealed) else { return false }
        // The seal is ours: no place is reserved until it is broken, and `base` is ours to read and to replace.
        let last = base.lsn + word.count - 1
        try sync(through: last)
        guard base.sequence < UInt32.max else { throw end(with: .exhausted) }
        let name = SegmentName(shard: active.name.shard, sequence: base.sequence + 1)
        do throws(StorageError) {
            try active.seal(at: word.endBytes)
            let next = try ActiveSegment.begin(
                SegmentHeader(name: name, baseLSN: last + 1), in: storage, options: options)
            writeGate.withLock {
                let position = base.position + word.endBytes - UInt64(SegmentHeader.sizeBytes)
                active = next
                base = SegmentBase(sequence: name.sequence, lsn: last + 1, position: position)
                breakSeal(Reservation(count: 0, endBytes: UInt64(SegmentHeader.sizeBytes)))
            }
        } catch {
            throw poison(error)
        }
        return true
    }

    private func breakSeal(_ word: Reservation) {
        turn.withLock {
            if ending == nil { words.store(word.rawValue, at: Word.reservation) }
            turn.wakeAll()
        }
    }

    @inline(never)
    private func waitWhileSealed() throws(EngineError) {
        turn.lock()
        defer { turn.unlock() }
        while Reservation(rawValue: words.load(Word.reservation)).isSealed {
            if let ending { throw ending }
            turn.wait()
        }
    }

    /// Makes everything durable and ends the log: its file ends with its last record, which says that nothing was torn.
    /// Later calls throw `closed`. Throws what poisoned the log, if anything did.
    func close() throws(EngineError) {
        while true {
            let word = Reservation(rawValue: words.load(Word.reservation))
            if word.isSealed {
                try waitWhileSealed()
            } else if words.exchange(
                at: Word.reservation, expected: word.rawValue, desired: word.sealed.rawValue)
            {
                try sync(through: base.lsn + word.count - 1)
                do throws(StorageError) { try active.seal(at: word.endBytes) } catch { throw poison(error) }
                _ = end(with: .closed)
                return
            }
        }
    }

    private func poison(_ error: StorageError) -> EngineError { end(with: .poisoned(by: error)) }

    /// Ends the log for good, and returns why it ended first.
    private func end(with reason: EngineError) -> EngineError {
        turn.withLock {
            let first = ending ?? reason
            ending = first
            if case .poisoned = first { words.store(1, at: Word.isPoisoned) }
            while true {
                let word = Reservation(rawValue: words.load(Word.reservation))
                let sealed = word.sealed.rawValue
                if word.isSealed
                    || words.exchange(at: Word.reservation, expected: word.rawValue, desired: sealed)
                {
                    break
                }
            }
            turn.wakeAll()
            return first
        }
    }

    private func throwIfPoisoned() throws(EngineError) {
        guard words.load(Word.isPoisoned) != 0 else { return }
        try turn.withLock { () throws(EngineError) in if let ending { throw ending } }
    }
}

/// The shared words of a log, a cache line each.
private enum Word {
    static let reservation = 0
    static let flushedPosition = 8
    static let flushedLSN = 16
    static let durableLSN = 24
    static let isPoisoned = 32
    static let count = 40
}

/// What the active segment adds to a reservation.
private struct SegmentBase {
    var sequence: UInt32
    var lsn: UInt64
    /// The position of the segment's first byte.
    var position: UInt64
}

/// A place that belongs to one append.
private struct Spot {
    var lsn: UInt64
    var position: UInt64
    var sequence: UInt32
    var offsetBytes: UInt32

    var place: Place { Place(lsn: lsn, sequence: sequence, offsetBytes: offsetBytes) }
}
