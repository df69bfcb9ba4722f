import Platform
import Storage

/// Replacing the active segment, removing segments, and closing the log.
extension LogCore {
    /// Begins a new segment, unless the active one is empty.
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

    /// Replaces the active segment if the reservation word is still `word`. Otherwise another thread did so.
    @inline(never) @discardableResult
    func rotate(sealing word: Reservation) throws(EngineError) -> Bool {
        guard seal(word) else { return false }
        let last = base.lsn + word.count - 1
        if hooks.skips(.syncSealedSegment) { try writeOut(through: last) } else { try sync(through: last) }
        guard base.sequence < UInt32.max else { throw end(with: .exhausted) }
        let name = SegmentName(shard: active.name.shard, sequence: base.sequence + 1)
        let header = SegmentHeader(name: name, baseLSN: last + 1, sizeBytes: options.segmentSizeBytes)
        let file = try reserve(header, sealed: word)
        let next = try poisoning { () throws(StorageError) in
            try active.cut(at: word.endBytes)
            let segment = try ActiveSegment.begin(header, file, in: storage, options: options)
            if hooks.skips(.beginSegmentEmpty) { try fillWithStaleRecords(segment) }
            return segment
        }
        writeGate.withLock {
            if hooks.skips(.closeSealedSegment) { keepOpen(active) }
            segments.append(header)
            install(next, lastLSN: last, endBytes: UInt64(SegmentHeader.sizeBytes))
        }
        return true
    }

    /// Reserves the file of the next segment. If there is no space or no permission, the log breaks the seal and continues
    /// with the current segment, so that it can still be closed.
    private func reserve(_ header: SegmentHeader, sealed word: Reservation) throws(EngineError) -> any StorageFile {
        var isGone = true
        do throws(StorageError) {
            return try ActiveSegment.reserve(header, in: storage, options: options, isGone: &isGone)
        } catch {
            guard isGone else { throw end(with: .poisoned(by: error)) }
            breakSeal(word)
            throw .storage(error)
        }
    }

    /// Removes all records after `lsn`; the next one gets the LSN after it. Durable when it returns; a crash in between
    /// leaves some of them. All earlier records are made durable first.
    ///
    /// Refuses an LSN within a batch, and one before the log.
    func truncate(after lsn: UInt64) throws(EngineError) {
        removal.lock()
        defer { removal.unlock() }
        let word = try sealRetrying()
        let last = base.lsn + word.count - 1
        try sync(through: last)
        do throws(EngineError) {
            guard lsn < last else { return breakSeal(word) }
            let tail = try findTail(endingWith: lsn)
            let next = try poisoning { () throws(StorageError) in
                try removeSegments(after: tail.name)
                return try LogStart(
                    behind: tail, lastLSN: lsn, isReplaced: true, in: storage, options: options, hooks: hooks)
            }
            writeGate.withLock {
                segments.removeAll { $0.name > tail.name }
                if next.segment.name != tail.name { segments.append(next.segment.header) }
                words.store(lsn, at: Word.flushedLSN)
                words.store(lsn, at: Word.durableLSN)
                install(next.segment, lastLSN: lsn, endBytes: next.endBytes)
            }
        } catch {
            // If it was refused before any change, the log continues. If it is poisoned, it does not, whatever the word is.
            breakSeal(word)
            throw error
        }
    }

    /// The end of the log if `lsn` is its last record.
    private func findTail(endingWith lsn: UInt64) throws(EngineError) -> LogTail {
        guard let first = segments.first?.baseLSN, lsn + 1 >= first else { throw .noSuchRecord(LSN(lsn)) }
        let header = segments.last { $0.baseLSN <= lsn + 1 }!
        let file = try throughStorage { () throws(StorageError) in
            try storage.openForReading(header.name.fileName)
        }
        var scanner = try throughStorage { () throws(StorageError) in try SegmentScanner(file, hooks: hooks) }
        var batch = OpenBatch()
        var found = header.baseLSN - 1
        _ = try throughStorage { () throws(StorageError) in try scanner.next() }
        while found < lsn {
            let step = try throughStorage { () throws(StorageError) in try scanner.next() }
            guard case .frame(let frame) = step, batch.take(frame) else { throw .noSuchRecord(LSN(lsn)) }
            found = frame.lsn
        }
        guard batch.isClosed, found == lsn else { throw .withinBatch(LSN(lsn)) }
        let end = scanner.position
        return LogTail(
            name: header.name, header: header, endBytes: end, droppedOffsetBytes: end, droppedBytes: 0, ending: .open)
    }

    /// Removes from the last segment backwards. Each removal is durable before the next, so that a crash leaves no gap.
    private func removeSegments(after name: SegmentName) throws(StorageError) {
        for segment in segments.reversed() where segment.name > name {
            try storage.unlink(segment.name.fileName)
            try storage.syncDirectory()
        }
    }

    /// Removes the segments that hold only records before `lsn`, never the active one. Returns the number of removed
    /// segments. Removes from the first segment on. Each removal is durable before the next, so that a crash leaves no gap.
    func truncate(before lsn: UInt64) throws(EngineError) -> [SegmentName] {
        removal.lock()
        defer { removal.unlock() }
        try throwIfEnded()
        var removed: [SegmentName] = []
        while true {
            let next = writeGate.withLock { () -> Int? in
                guard segments.count > 1, segments[1].baseLSN <= lsn else { return nil }
                return hooks.skips(.truncateOldestFirst) ? segments.lastIndex { $0.baseLSN <= lsn }! - 1 : 0
            }
            guard let next else { return removed }
            let name = writeGate.withLock { segments[next].name }
            try poisoning { () throws(StorageError) in
                try storage.unlink(name.fileName)
                try storage.syncDirectory()
            }
            writeGate.withLock { _ = segments.remove(at: next) }
            removed.append(name)
        }
    }

    /// Makes all records durable and writes a close mark, which distinguishes later damage from a torn tail. Later calls
    /// throw `closed`. Throws the poisoning error, if any.
    func close() throws(EngineError) {
        let word = try sealRetrying()
        let next = base.lsn + word.count
        try sync(through: next - 1)
        try poisoning { () throws(StorageError) in try active.close(at: word.endBytes, nextLSN: next) }
        _ = end(with: .closed)
    }

    // MARK: The seal

    /// Seals the log if the reservation word is still `word`. While this thread holds the seal, no space can be reserved, and
    /// only this thread may read and replace `base`, `active` and the end of the log.
    private func seal(_ word: Reservation) -> Bool {
        words.exchange(at: Word.reservation, expected: word.rawValue, desired: word.sealed.rawValue)
    }

    /// Seals the log and returns the old word.
    private func sealRetrying() throws(EngineError) -> Reservation {
        while true {
            let word = Reservation(rawValue: words.load(Word.reservation))
            if word.isSealed {
                try waitWhileSealed()
            } else if seal(word) {
                return word
            }
        }
    }

    /// Makes a segment the active one and breaks the seal. All earlier records are written out. Under `writeGate`.
    private func install(_ segment: ActiveSegment, lastLSN: UInt64, endBytes: UInt64) {
        active = segment
        let header = segment.header
        base = SegmentBase(
            sequence: header.name.sequence, lsn: header.baseLSN,
            position: words.load(Word.flushedPosition) - endBytes)
        breakSeal(Reservation(count: lastLSN + 1 - header.baseLSN, endBytes: endBytes))
    }

    private func breakSeal(_ word: Reservation) {
        sealGate.withLock {
            if ending == nil { words.store(word.rawValue, at: Word.reservation) }
            sealGate.wakeAll()
        }
    }

    @inline(never)
    func waitWhileSealed() throws(EngineError) {
        sealGate.lock()
        defer { sealGate.unlock() }
        while Reservation(rawValue: words.load(Word.reservation)).isSealed {
            if let ending { throw ending }
            sealGate.wait()
        }
    }

    // MARK: Poisoning and closing

    /// Runs a call whose failure poisons the log.
    func poisoning<Result>(_ call: () throws(StorageError) -> Result) throws(EngineError) -> Result {
        do { return try call() } catch { throw end(with: .poisoned(by: error)) }
    }

    /// Ends the log. Returns the first reason for which it ended.
    private func end(with reason: EngineError) -> EngineError {
        sealGate.withLock {
            let first = ending ?? reason
            ending = first
            words.store(1, at: Word.hasEnded)
            while true {
                let word = Reservation(rawValue: words.load(Word.reservation))
                if word.isSealed || seal(word) { break }
            }
            sealGate.wakeAll()
            wakeSleepers()
            return first
        }
    }

    /// Throws the reason if the log has ended.
    @inline(__always)
    func throwIfEnded() throws(EngineError) {
        if words.load(Word.hasEnded) != 0 { throw reasonOfEnd() }
    }

    func throwIfClosed() throws(EngineError) {
        if words.load(Word.hasEnded) != 0, reasonOfEnd() == .closed { throw .closed }
    }

    func reasonOfEnd() -> EngineError { sealGate.withLock { ending ?? .closed } }
}
