import Platform
import Storage

/// Writing published records to the segment, and making them durable.
extension LogCore {
    /// Writes all published records that follow the last written one without a gap. Under `writeGate`.
    func writeOut() throws(EngineError) { try writeOut(upTo: publishedEnd()) }

    private func publishedEnd() -> (lsn: UInt64, position: UInt64) {
        ring.publishedEnd(after: words.load(Word.flushedLSN), at: words.load(Word.flushedPosition))
    }

    private func writeOut(upTo end: (lsn: UInt64, position: UInt64)) throws(EngineError) {
        try throwIfEnded()
        let start = words.load(Word.flushedPosition)
        guard end.position > start else { return }
        let (first, second) = ring.pieces(start, Int(end.position - start))
        try write(first, at: start)
        try write(second, at: start + UInt64(first.count))
        advance(toLSN: end.lsn, position: end.position)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(EngineError) {
        try poisoning { () throws(StorageError) in try active.write(bytes, at: position - base.position) }
    }

    func advance(toLSN lsn: UInt64, position: UInt64) {
        words.store(lsn, at: Word.flushedLSN)
        words.store(position, at: Word.flushedPosition)
    }

    /// Returns when the record is written to its file, where readers find it, or was truncated. It is not yet durable.
    func writeOut(through lsn: UInt64) throws(EngineError) {
        var round = 0
        while words.load(Word.flushedLSN) < lsn {
            let isDone = try writeGate.withLock { () throws(EngineError) in
                try writeOut()
                return words.load(Word.flushedLSN) >= lsn || reservedLSN < lsn
            }
            if isDone { return }
            C.relax(&round)
        }
    }

    var durableLSN: UInt64 { words.load(Word.durableLSN) }

    /// The LSN of the last reserved record.
    var lastLSN: UInt64 { writeGate.withLock { reservedLSN } }

    /// The same, under `writeGate`. Records with larger LSNs were truncated; new records may get these LSNs.
    private var reservedLSN: UInt64 { base.lsn + Reservation(rawValue: words.load(Word.reservation)).count - 1 }

    /// The LSN of the first record in the log; of the next one if the log is empty.
    var firstLSN: UInt64 { writeGate.withLock { segments[0].baseLSN } }

    /// The LSN of the first record of the active segment, written or not.
    var activeBaseLSN: UInt64 { writeGate.withLock { base.lsn } }

    /// Returns when all records appended before the call are durable.
    func sync() throws(EngineError) {
        try throwIfEnded()
        try sync(through: lastLSN)
    }

    /// Returns when the appended record and all earlier ones are durable, or were truncated.
    func sync(through lsn: UInt64) throws(EngineError) {
        while true {
            // Read in this order: the turn changes after the sync that makes the record durable.
            let turn = SyncTurn(rawValue: words.load(Word.turn))
            if words.load(Word.durableLSN) >= lsn { return }
            if words.load(Word.hasEnded) != 0 { throw reasonOfEnd() }
            if turn.isLed {
                sleep(until: turn, covers: lsn)
                if hooks.skips(.awaitOwnSync) {
                    // This thread may be the one woken to lead for its room: wake the others.
                    return wakeSleepers()
                }
            } else if exchange(turn, turn.taken()) {
                return try lead(through: lsn)
            }
        }
    }

    /// Sleeps until the sync that covers the record ends, or the turn changes, or a spurious wakeup.
    private func sleep(until turn: SyncTurn, covers lsn: UInt64) {
        let isCovered = !turn.isAnnounced || lsn <= words.load(Word.announcedLSN)
        let room = isCovered ? turn.room : turn.room.other
        let sleeping = turn.withSleepers(in: room)
        guard turn.hasSleepers(in: room) || exchange(turn, sleeping) else { return }
        words.wait(at: Word.turn, while: sleeping.rawValue, in: room)
    }

    private func lead(through lsn: UInt64) throws(EngineError) {
        let result = writeAndSync(through: lsn)
        if let reached = try? result.get() { words.store(reached, at: Word.durableLSN) }
        let turn = changeTurn { $0.ended() }
        // Wake the leader of the next sync first: only the leader delays the device.
        if turn.hasSleepers(in: turn.room.other), !hooks.skips(.wakeNextLeader) {
            words.wakeOne(at: Word.turn, in: turn.room.other)
        }
        if turn.hasSleepers(in: turn.room) { words.wakeAll(at: Word.turn, in: turn.room) }
        _ = try result.get()
    }

    /// Makes all threads that wait for a sync, or are about to, check again.
    func wakeSleepers() {
        changeTurn { $0.stirred() }
        for room in WaitRoom.allCases { words.wakeAll(at: Word.turn, in: room) }
    }

    /// Changes the turn atomically. Returns the old value.
    @discardableResult
    private func changeTurn(_ change: (SyncTurn) -> SyncTurn) -> SyncTurn {
        while true {
            let turn = SyncTurn(rawValue: words.load(Word.turn))
            if exchange(turn, change(turn)) { return turn }
        }
    }

    private func exchange(_ turn: SyncTurn, _ desired: SyncTurn) -> Bool {
        words.exchange(at: Word.turn, expected: turn.rawValue, desired: desired.rawValue)
    }

    /// The leader's work. Returns the last durable LSN; nil if the record was truncated.
    ///
    /// A truncation first makes everything durable, and so waits for a leader whose record it removes. A leader whose record
    /// was removed earlier detects that here and stores nothing.
    private func writeAndSync(through lsn: UInt64) -> Result<UInt64?, EngineError> {
        var round = 0
        do throws(EngineError) {
            while true {
                let (reached, last, file) = try writeGate.withLock { () throws(EngineError) in
                    let end = publishedEnd()
                    if end.lsn >= lsn { announce(end.lsn) }
                    try writeOut(upTo: end)
                    return (end.lsn, reservedLSN, active.file)
                }
                if reached >= lsn {
                    if hooks.skips(.poisonAfterFailedSync) {
                        try throughStorage { () throws(StorageError) in try file.sync() }
                    } else {
                        try poisoning { () throws(StorageError) in try file.sync() }
                    }
                    return .success(reached)
                }
                if last < lsn { return .success(nil) }
                C.relax(&round)
            }
        } catch {
            return .failure(error)
        }
    }

    /// Announces which records the sync will cover, before they are written, so that other threads know in which room to
    /// sleep.
    private func announce(_ lsn: UInt64) {
        words.store(lsn, at: Word.announcedLSN)
        changeTurn { $0.announcing() }
    }
}
