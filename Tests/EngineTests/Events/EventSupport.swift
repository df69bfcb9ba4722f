import Bytes
import Engine
import Events
import Storage

/// Batches are written at once, segments are small, and the window is a hundred seconds long.
let eager = EventOptions(
    log: LogOptions(segmentSizeBytes: 4 << 10, zeroAheadBytes: 1 << 10, bufferSizeBytes: 4 << 10),
    batchDelayMilliseconds: 0, duplicateWindowSeconds: 100)

func event(_ number: Int, type: ByteString = "seen") -> Event {
    Event(entity: ByteString("entity \(number % 7)"), type: type, weight: Double(number) / 4, timestamp: Int64(number))
}

extension EventStore {
    /// What lies strictly after a sequence number, by default the checkpoint's.
    func list(after sequence: UInt64? = nil) throws -> [SequencedEvent] {
        var found: [SequencedEvent] = []
        var reader = try events(after: sequence)
        while let event = try reader.next() { found.append(event) }
        return found
    }
}

/// Opens what is there as a new process would after a crash.
func reopenEvents(
    _ storage: MemoryStorage, _ clock: TestClock, options: EventOptions = eager
) throws -> EventStore {
    try EventStore.open(storage: MemoryStorage(contents: storage.contents()), options: options, clock: clock)
}
