import Storage

/// Replacing the active segment, and the end of the log.
extension LogCore {
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
    func rotate(sealing word: Reservation) throws(EngineError) -> Bool {
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
    func waitWhileSealed() throws(EngineError) {
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

    func poison(_ error: StorageError) -> EngineError { end(with: .poisoned(by: error)) }

    /// Ends the log for good, and returns why it ended first.
    private func end(with reason: EngineError) -> EngineError {
        turn.withLock {
            let first = ending ?? reason
            ending = first
            words.store(1, at: Word.hasEnded)
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

    /// Throws why the log has ended, if it has.
    @inline(__always)
    func throwIfEnded() throws(EngineError) {
        if words.load(Word.hasEnded) != 0 { throw reasonOfEnd() }
    }

    private func reasonOfEnd() -> EngineError { turn.withLock { ending ?? .closed } }

    func throwIfClosed() throws(EngineError) {
        if words.load(Word.hasEnded) != 0, reasonOfEnd() == .closed { throw .closed }
    }
}
