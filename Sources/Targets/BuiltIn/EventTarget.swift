import Bytes
import Engine
import Events
import Platform
import Storage

/// The built-in event store as a target: each operation is an event, and the visible data is the projection of all
/// events.
///
/// It is used as docs/engine.md recommends. The projection is saved from time to time in its own file, with the number
/// of the last applied event. Some events later a checkpoint is taken there, older events are truncated, and a second
/// file confirms the checkpoint to the senders. Every event is appended twice, and after recovery the last ones once
/// more. Anomalies that would not change the projection are reported as extra keys: an accepted duplicate, and a
/// replayed event that the checkpoint covers. A log that lost a confirmed checkpoint does not open.
package struct EventTarget: BuiltInTarget {
    /// How the store is used, and its planted bug.
    package struct Configuration: Sendable {
        /// Takes a checkpoint after so many operations; 0 for never.
        package var checkpointPeriod: UInt64
        package var segmentKiB: Int
        package var planted: PlantedBug?

        package init(checkpointPeriod: UInt64 = 20, segmentKiB: Int = 16, planted: PlantedBug? = nil) {
            self.checkpointPeriod = checkpointPeriod
            self.segmentKiB = segmentKiB
            self.planted = planted
        }
    }

    private let store: EventStore
    private let storage: any Storage
    private let clock: OperationClock
    private let checkpointPeriod: UInt64
    private let state: EventProjection
    private let timings: CallTimings?

    private static let windowSeconds = 30
    private static let confirmed: ByteString = "confirmed"

    package init(storage: any Storage, _ configuration: Configuration, _ timings: CallTimings? = nil) throws {
        self.timings = timings
        checkpointPeriod = configuration.checkpointPeriod
        self.storage = storage
        clock = try OperationClock(after: storage)
        let options = EventOptions(
            log: LogOptions(
                segmentSizeBytes: configuration.segmentKiB << 10, zeroAheadBytes: 4 << 10, bufferSizeBytes: 64 << 10),
            batchDelayMilliseconds: 0, duplicateWindowSeconds: Self.windowSeconds)
        store =
            if let bug = configuration.planted {
                try EventStore.open(storage: storage, options: options, clock: clock, planting: bug)
            } else {
                try EventStore.open(storage: storage, options: options, clock: clock)
            }
        state = try EventProjection(savedIn: storage)
        let checkpoint = store.checkpoint.sequence
        if let text = try ChecksummedFile.contents(of: Self.confirmed, in: storage) {
            let number = UInt64(String(decoding: text.dropLast(), as: UTF8.self)) ?? .max
            guard checkpoint >= number else {
                let confirmed = "the one at event \(number) had returned"
                throw SavedStateError(
                    description: "the log's last checkpoint is at event \(checkpoint), and \(confirmed)")
            }
        }
        try store.replay { [state] event in
            if event.sequence <= checkpoint { state.reportAnomaly("replayed although checkpointed") }
            state.apply(event)
        }
    }

    package func put(_ key: ByteString, _ payload: [UInt8]) throws { try append(key, ByteString(payload), weight: 1) }

    package func delete(_ key: ByteString) throws { try append(key, "", weight: -1) }

    private func append(_ key: ByteString, _ payload: ByteString, weight: Double) throws {
        clock.advance()
        let event = Event(entity: key, type: payload, weight: weight, timestamp: Int64(clamping: clock.now))
        let sequence = try timings.timing(.put) { try store.append(event) }
        if try store.append(event) != 0 { state.reportAnomaly("taken twice") }
        // A new event that is mistaken for a duplicate is acknowledged and lost: the validator finds that.
        if sequence > 0 {
            state.apply(SequencedEvent(sequence: sequence, arrivalNanoseconds: clock.now, event: event))
        }
    }

    /// Reads the newest event from the log. The projection itself is in memory.
    package func get(_ key: ByteString) throws -> [UInt8]? {
        var reader = try store.events(after: max(1, state.sequence) - 1)
        return try reader.next().map { $0.event.type.bytes }
    }

    package func maintain(after seq: UInt64) throws {
        guard checkpointPeriod > 0 else { return }
        if seq % checkpointPeriod == 0 { try state.save(in: storage) }
        // Not right after saving: applications append events meanwhile.
        if seq % checkpointPeriod == checkpointPeriod / 2, state.savedSequence > store.checkpoint.sequence {
            try takeCheckpoint()
        }
    }

    package func perform(_ step: SmallStep) throws {
        precondition(step == .checkpoint, "the event view does not know the step '\(step.rawValue)'")
        try state.save(in: storage)
        try takeCheckpoint()
    }

    private func takeCheckpoint() throws {
        try store.takeCheckpoint(at: state.savedSequence)
        try store.truncateBeforeCheckpoint()
        try ChecksummedFile.replace(Self.confirmed, with: Array("\(state.savedSequence)\n".utf8), in: storage)
    }

    /// Dumps the projection. First appends the events of the duplicate window again, which must not change anything.
    package func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        // The store must recognise truncated events as duplicates while they are in the window.
        let truncated = state.recent.filter { $0.sequence < store.firstSequence }
        var kept: [SequencedEvent] = []
        var reader = try store.events(after: 0)
        while let event = try reader.next() { kept.append(event) }
        for event in truncated + kept.suffix(20) where isInWindow(event) {
            if try store.append(event.event) != 0 { state.reportAnomaly("taken again") }
        }
        for (key, payload) in state.items { try emit(key, payload) }
    }

    /// If storage lost the newest events, the remaining ones may be outside the window: the clock starts at the last
    /// event that recovery found.
    private func isInWindow(_ event: SequencedEvent) -> Bool {
        clock.now <= event.arrivalNanoseconds + UInt64(Self.windowSeconds) * 1_000_000_000
    }

    package consuming func close() throws { try store.close() }
}

/// A clock that advances one second per operation and starts at the end of the log, so that the duplicate window
/// depends only on the workload.
private final class OperationClock: EventClock {
    private let time: Guarded<UInt64>

    init(after storage: any Storage) throws {
        var last: UInt64 = 1_000_000_000_000
        if try !LogCheck.shards(in: storage).isEmpty {
            var reader = try EventReader.open(storage: storage)
            while let event = try reader.next() { last = max(last, event.arrivalNanoseconds) }
        }
        time = Guarded(last)
    }

    var now: UInt64 { time.withLock { $0 } }

    func advance() { time.withLock { $0 += 1_000_000_000 } }
}
