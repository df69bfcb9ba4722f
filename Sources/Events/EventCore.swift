import Bytes
import Engine
import Platform
import Storage

/// The event view of one shard's log. Events are collected in batches, each batch is appended and synced together, and
/// duplicates wait for their originals.
///
/// It has no thread of its own: a batch is written by the thread that filled it, or by the first waiting thread after the
/// delay. Batches are written one at a time and in order, so that sequence numbers follow the log.
///
/// Invariants
/// - `queue` is never empty. Its last batch is being filled, the others are full. Only the first is being written.
/// - Every event of `sequences` is durable. A failed batch poisons the log and ends the store.
///
/// Thread safe. Lock order: `gate`, then those of the log.
final class EventCore<C: Coordination, H: Hooks>: EventEngine, @unchecked Sendable {
    var recoveryReport: RecoveryReport { log.recoveryReport }
    let options: EventOptions
    let hooks: H
    private let storage: any Storage
    private let shard: UInt16
    private let log: any RecordLog
    private let clock: any EventClock
    /// nil if the store is one of several shards, which share one lock.
    private let lock: (any DirectoryLock)?

    /// Guards all properties below. Its condition is signalled when a batch was written or has failed.
    private let gate = C.Gate(name: "event gate")
    private var queue: [EventBatch] = []
    private var isWriting = false
    private var ending: EngineError?
    private var window: DuplicateWindow
    private var sequences = SequenceMap()
    private var lastCheckpoint = Checkpoint.none
    /// The LSN of `lastCheckpoint`; 0 if there is none.
    private var checkpointLSN: UInt64 = 0

    init(
        storage: any Storage, shard: UInt16, options: EventOptions, clock: any EventClock, lock: (any DirectoryLock)?,
        planting bug: PlantedBug?, hooks: H
    ) throws(EngineError) {
        self.storage = storage
        self.shard = shard
        self.options = options
        self.clock = clock
        self.lock = lock
        self.hooks = hooks
        var replay = EventReplay(window: DuplicateWindow(lengthSeconds: options.duplicateWindowSeconds), now: clock.now)
        log = try RecordLogs.open(storage, shard: shard, options: options.log, planting: bug, coordination: C.self) {
            (frame) throws(EngineError) in try replay.take(frame, hooks)
        }
        window = replay.window
        sequences = replay.sequences
        lastCheckpoint = replay.checkpoint
        checkpointLSN = replay.checkpointLSN
        queue = [EventBatch()]
    }

    // MARK: Appending

    /// The result for one event of a call.
    private enum Queued {
        case inBatch(EventBatch, index: Int)
        /// The batch of the original; nil if the original is durable.
        case duplicate(EventBatch?)
    }

    func append(_ events: [Event]) throws(EngineError) -> [UInt64] {
        for event in events {
            for field in [event.entity, event.type] where field.count > LogLimits.keySizeBytes {
                throw .keyTooLarge(sizeBytes: field.count)
            }
        }
        let hashes = events.map { hooks.skips(.compareWholeHash) ? ContentHash(weak: $0) : ContentHash($0) }
        gate.lock()
        defer { gate.unlock() }
        if let ending { throw ending }
        let now = clock.now
        window.evict(now: now)
        var queued: [Queued] = []
        queued.reserveCapacity(events.count)
        for (event, hash) in zip(events, hashes) { queued.append(enqueue(event, hash, now)) }
        var sequences: [UInt64] = []
        sequences.reserveCapacity(events.count)
        for item in queued { sequences.append(try sequence(of: item)) }
        return sequences
    }

    private func enqueue(_ event: Event, _ hash: ContentHash, _ now: UInt64) -> Queued {
        switch window.original(of: hash, now: now) {
        case .durable?: return .duplicate(nil)
        case .pending(let batch)?: return .duplicate(hooks.skips(.awaitOriginal) ? nil : batch)
        case nil: break
        }
        if queue[queue.count - 1].isFull(options) { queue.append(EventBatch()) }
        let batch = queue[queue.count - 1]
        let payload = EventRecord.payload(of: event, arrival: now)
        if batch.events.isEmpty {
            batch.deadlineNanoseconds = C.nanoseconds + UInt64(options.batchDelayMilliseconds) * 1_000_000
        }
        batch.append(EventBatch.QueuedEvent(entity: event.entity, payload: payload, hash: hash))
        window.insert(hash, arrival: now, in: batch)
        return .inBatch(batch, index: batch.events.count - 1)
    }

    private func sequence(of item: Queued) throws(EngineError) -> UInt64 {
        switch item {
        case .inBatch(let batch, let index): return try wait(for: batch) + UInt64(index)
        case .duplicate(let batch?):
            _ = try wait(for: batch)
            return 0
        case .duplicate(nil): return 0
        }
    }

    // MARK: Writing batches, under the gate

    /// Returns the sequence number of the batch's first event, when the batch is durable.
    private func wait(for batch: EventBatch) throws(EngineError) -> UInt64 {
        while true {
            switch batch.completion {
            case .durable(let first)?: return first
            case .failed(let error)?: throw error
            case nil: break
            }
            if isWriting {
                gate.wait()
            } else if isDue(queue[0]) {
                writeFirst()
            } else {
                gate.wait(until: queue[0].deadlineNanoseconds)
            }
        }
    }

    private func isDue(_ batch: EventBatch) -> Bool {
        batch.isHurried || batch.isFull(options) || C.nanoseconds >= batch.deadlineNanoseconds
    }

    private func writeFirst() {
        let batch = queue.removeFirst()
        if queue.isEmpty { queue.append(EventBatch()) }
        isWriting = true
        let first = sequences.lastSequence + 1
        gate.unlock()
        let result = write(batch.events, first)
        gate.lock()
        isWriting = false
        switch result {
        case .success(let lsns): recordDurable(batch, first, lsns)
        case .failure(let error): end(with: error, batch)
        }
        gate.wakeAll()
    }

    /// Appends events and makes them durable. Returns their LSNs.
    private func write(_ events: [EventBatch.QueuedEvent], _ first: UInt64) -> Result<[UInt64], EngineError> {
        var lsns: [UInt64] = []
        lsns.reserveCapacity(events.count)
        do throws(EngineError) {
            for (index, event) in events.enumerated() {
                var payload = event.payload
                EventRecord.setSequence(first + UInt64(index), in: &payload)
                lsns.append(try log.appendRecord(.event, event.entity, payload))
            }
            if let last = lsns.last { try log.sync(through: last) }
            return .success(lsns)
        } catch {
            return .failure(error)
        }
    }

    private func recordDurable(_ batch: EventBatch, _ first: UInt64, _ lsns: [UInt64]) {
        for (index, event) in batch.events.enumerated() {
            let isInOrder = sequences.append(first + UInt64(index), lsn: lsns[index])
            assert(isInOrder, "batches are written in order")
            window.markDurable(event.hash, batch, lsn: lsns[index])
        }
        batch.events = []
        batch.completion = .durable(first: first)
    }

    private func end(with error: EngineError, _ batch: EventBatch? = nil) {
        if ending == nil { ending = error }
        batch?.completion = .failed(error)
        for waiting in queue { waiting.completion = .failed(error) }
    }

    func flush() throws(EngineError) {
        gate.lock()
        defer { gate.unlock() }
        try flushUnderGate()
    }

    private func flushUnderGate() throws(EngineError) {
        if let ending { throw ending }
        for batch in queue { batch.isHurried = true }
        // Also waits for the batch that is being written.
        _ = try wait(for: queue[queue.count - 1])
    }

    // MARK: Checkpoints

    var lastSequence: UInt64 { gate.withLock { sequences.lastSequence } }

    var firstSequence: UInt64 { gate.withLock { sequences.firstSequence ?? sequences.lastSequence + 1 } }

    var checkpoint: Checkpoint { gate.withLock { lastCheckpoint } }

    func takeCheckpoint(at sequence: UInt64?) throws(EngineError) -> Checkpoint {
        gate.lock()
        defer { gate.unlock() }
        if let ending { throw ending }
        // One writer at a time, so that a checkpoint comes after the events that it covers.
        while isWriting { gate.wait() }
        if let ending { throw ending }
        var reached = sequence ?? sequences.lastSequence
        guard reached <= sequences.lastSequence, reached >= lastCheckpoint.sequence else {
            throw .noSuchEvent(sequence: reached)
        }
        if hooks.skips(.limitCheckpointToDurable) { reached = sequences.lastSequence + 1 }
        let checkpoint = Checkpoint(sequence: reached, timeNanoseconds: clock.now)
        isWriting = true
        gate.unlock()
        let result = write(checkpoint)
        gate.lock()
        isWriting = false
        gate.wakeAll()
        switch result {
        case .success(let lsn):
            lastCheckpoint = checkpoint
            checkpointLSN = lsn
            return checkpoint
        case .failure(let error):
            end(with: error)
            throw error
        }
    }

    private func write(_ checkpoint: Checkpoint) -> Result<UInt64, EngineError> {
        do throws(EngineError) {
            let lsn = try log.appendRecord(.checkpoint, "", EventRecord.payload(of: checkpoint))
            try hooks.run(.syncCheckpoint) { () throws(EngineError) in try log.sync(through: lsn) }
            return .success(lsn)
        } catch {
            return .failure(error)
        }
    }

    func truncateBeforeCheckpoint() throws(EngineError) -> Int {
        let limit = gate.withLock { () -> UInt64 in
            guard checkpointLSN > 0 else { return 0 }
            let now = clock.now
            window.evict(now: now)
            let afterCheckpoint = sequences.lsn(atOrAfter: lastCheckpoint.sequence + 1) ?? checkpointLSN
            if hooks.skips(.limitTruncationToCheckpoint) { return log.lastLSN }
            // A reopen needs the events of the window to detect their duplicates.
            let ofWindow = hooks.skips(.keepEventsOfWindow) ? nil : window.firstLSN(now: now)
            return min(checkpointLSN, afterCheckpoint, ofWindow ?? .max)
        }
        let removed = try log.removeSegments(before: limit)
        let first = log.firstLSN
        gate.withLock { sequences.removeAll(before: first) }
        return removed
    }

    // MARK: Reading, and the end

    func events(after sequence: UInt64) throws(EngineError) -> EventReader {
        try log.throwIfClosed()
        let after = hooks.skips(.replayAfterCheckpoint) && sequence > 0 ? sequence - 1 : sequence
        let (first, last) = gate.withLock { () -> (UInt64?, UInt64) in
            let last = sequences.lastSequence
            return (after < last ? sequences.lsn(atOrAfter: after + 1) : nil, last)
        }
        guard let first else { return EventReader() }
        return try EventReader(
            storage, shard: shard, from: LSN(first), after: after, through: last, policy: options.log.damagePolicy)
    }

    func close() throws(EngineError) {
        defer { lock?.release() }
        gate.lock()
        defer {
            end(with: .closed)
            gate.wakeAll()
            gate.unlock()
        }
        do throws(EngineError) { try flushUnderGate() } catch {
            try? log.close()
            throw error
        }
        try log.close()
    }
}
