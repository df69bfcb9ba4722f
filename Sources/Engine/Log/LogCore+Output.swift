import Storage

/// Writing out what is published, and making it durable.
extension LogCore {
    /// Writes every published record that follows the last one written, without a gap. Under `writeGate`.
    func writeOut() throws(EngineError) {
        try throwIfEnded()
        let start = words.load(Word.flushedPosition)
        let end = ring.publishedEnd(after: words.load(Word.flushedLSN), at: start)
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

    /// Returns when the record is in its file, where readers find it, or was truncated away; durable it is only after a
    /// sync.
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

    /// The LSN of the last record that was appended or is being appended.
    var lastLSN: UInt64 { writeGate.withLock { reservedLSN } }

    /// The same. Under `writeGate`. What was appended and lies beyond it was truncated away; what was appended since may
    /// have its number.
    private var reservedLSN: UInt64 { base.lsn + Reservation(rawValue: words.load(Word.reservation)).count - 1 }

    /// The LSN of the first record that the log still has, or will have.
    var firstLSN: UInt64 { writeGate.withLock { segments[0].baseLSN } }

    /// The LSN of the first record of the active segment, written or not.
    var activeBaseLSN: UInt64 { writeGate.withLock { base.lsn } }

    /// Returns when everything that was appended before the call is durable.
    func sync() throws(EngineError) {
        try throwIfEnded()
        try sync(through: lastLSN)
    }

    /// Returns when the record and everything before it is durable, or was truncated away. The record was appended.
    func sync(through lsn: UInt64) throws(EngineError) {
        if words.load(Word.durableLSN) >= lsn { return }
        turn.lock()
        defer { turn.unlock() }
        while words.load(Word.durableLSN) < lsn {
            if let ending { throw ending }
            if syncs.isLed {
                turn.wait(in: syncs.room(for: lsn, reached: words.load(Word.syncingLSN)))
                if defects.has(.followerEarly) {
                    // It may be the one that was woken to lead for the others of its room: they leave, too.
                    turn.wakeAll()
                    return
                }
                continue
            }
            syncs.lead()
            turn.unlock()
            let result = writeAndSync(through: lsn)
            turn.lock()
            let reached = try? result.get()
            if let reached { words.store(reached, at: Word.durableLSN) }
            syncs.end(reached: reached, waking: turn)
            if try result.get() == nil { return }
        }
    }

    /// The leader's part. Returns the last LSN that is durable now; nil when the record was truncated away.
    ///
    /// A truncation makes everything durable first, and so waits for a leader whose record it takes away; a leader whose
    /// record was taken away before finds that here and stores nothing.
    private func writeAndSync(through lsn: UInt64) -> Result<UInt64?, EngineError> {
        var round = 0
        do throws(EngineError) {
            while true {
                let (reached, last, file) = try writeGate.withLock { () throws(EngineError) in
                    try writeOut()
                    return (words.load(Word.flushedLSN), reservedLSN, active.file)
                }
                if last < lsn { return .success(nil) }
                if reached >= lsn {
                    words.store(reached, at: Word.syncingLSN)
                    if defects.has(.poisonIgnored) {
                        try throughStorage { () throws(StorageError) in try file.sync() }
                    } else {
                        try poisoning { () throws(StorageError) in try file.sync() }
                    }
                    return .success(reached)
                }
                C.relax(&round)
            }
        } catch {
            return .failure(error)
        }
    }
}
