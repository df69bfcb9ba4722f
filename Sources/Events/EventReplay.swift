import Bytes
import Engine

/// Rebuilds the memory of an event store from the records of its log, in order.
struct EventReplay {
    private(set) var window: DuplicateWindow
    private(set) var sequences = SequenceMap()
    private(set) var checkpoint = Checkpoint.none
    private(set) var checkpointLSN: UInt64 = 0
    private let now: UInt64

    init(window: DuplicateWindow, now: UInt64) {
        self.window = window
        self.now = now
    }

    mutating func take(_ frame: Frame, _ hooks: some Hooks) throws(EngineError) {
        switch frame.type {
        case .event:
            guard let found = EventRecord.event(key: ByteString(frame.key), payload: frame.payload),
                sequences.append(found.sequence, lsn: frame.lsn)
            else { throw .malformed(.event, LSN(frame.lsn)) }
            if hooks.skips(.replayWindow) { return }
            let hash = hooks.skips(.compareWholeHash) ? ContentHash(weak: found.event) : ContentHash(found.event)
            window.insert(hash, arrival: found.arrivalNanoseconds, lsn: frame.lsn, now: now)
        case .checkpoint:
            guard let found = EventRecord.checkpoint(payload: frame.payload) else {
                throw .malformed(.checkpoint, LSN(frame.lsn))
            }
            checkpoint = found
            checkpointLSN = frame.lsn
            // Its events may be removed; their numbers are not reused.
            hooks.run(.limitCheckpointToDurable) { sequences.skip(through: found.sequence) }
        case .raw, .segment, .close: break
        case .put, .delete, .batchPut, .batchDelete, .batchCommit: throw .otherView(frame.type, LSN(frame.lsn))
        }
    }
}
