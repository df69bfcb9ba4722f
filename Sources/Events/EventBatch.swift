import Bytes
import Engine

/// A batch of events that are written and synced together. Guarded by the gate of its store.
final class EventBatch {
    struct QueuedEvent {
        var entity: ByteString
        var payload: [UInt8]
        var hash: ContentHash
    }

    enum Completion {
        /// Durable. The first event has this sequence number, the others follow.
        case durable(first: UInt64)
        case failed(EngineError)
    }

    var events: [QueuedEvent] = []
    private(set) var sizeBytes = 0
    /// The latest time to write it, by the monotonic clock.
    var deadlineNanoseconds = UInt64.max
    /// Whether a caller requested to write it now.
    var isHurried = false
    /// nil until it was written or has failed.
    var completion: Completion?

    func append(_ event: QueuedEvent) {
        events.append(event)
        sizeBytes += Frame.size(keyCount: event.entity.count, payloadCount: event.payload.count)
    }

    func isFull(_ options: EventOptions) -> Bool {
        events.count >= options.batchCount || sizeBytes >= options.batchSizeBytes
    }
}
