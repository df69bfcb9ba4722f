import Bytes
import Engine

/// Events that are written and made durable together. Guarded by the gate of its store.
final class EventBatch {
    struct Entry {
        var entity: ByteString
        var payload: [UInt8]
        var hash: ContentHash
    }

    enum Outcome {
        /// Durable; the first event has this sequence number, the others follow.
        case durable(first: UInt64)
        case failed(EngineError)
    }

    var entries: [Entry] = []
    private(set) var sizeBytes = 0
    /// When it is written at the latest, by the monotonic clock.
    var deadlineNanoseconds = UInt64.max
    /// Someone asked for it to be written now.
    var isHurried = false
    /// Nil until it was written or given up.
    var outcome: Outcome?

    func append(_ entry: Entry) {
        entries.append(entry)
        sizeBytes += Frame.size(keyCount: entry.entity.count, payloadCount: entry.payload.count)
    }

    func isFull(_ options: EventOptions) -> Bool {
        entries.count >= options.batchCount || sizeBytes >= options.batchSizeBytes
    }
}
