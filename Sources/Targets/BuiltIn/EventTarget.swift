import Bytes
import Engine
import Events
import Platform
import Storage

/// The built-in event store as a target: each operation is an event, and what a reader sees is what the events add up to.
///
/// It is used as the engine's page tells to: what was applied is saved now and then in a file of its own, with the number
/// of the last event in it; some events later a checkpoint is taken there, what lies before it is truncated, and another
/// file confirms to whoever sent them that they may be forgotten. Every event is appended twice, and after recovery the
/// last ones once more. What must not happen and would not change the map is shown as a key that nobody wrote: a duplicate
/// that was taken, an event that is replayed although the checkpoint covers it. A log that has forgotten a checkpoint that
/// was confirmed is not opened.
package struct EventTarget: BuiltInTarget {
    /// How it is driven, and which bug is planted in it.
    package struct Configuration: Sendable {
        /// Takes a checkpoint after every so many operations; 0 for never.
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

    private static let windowSeconds = 30
    private static let confirmed: ByteString = "confirmed"

    package init(storage: any Storage, _ configuration: Configuration) throws {
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
        if let text = try SealedFile.contents(of: Self.confirmed, in: storage) {
            let number = UInt64(String(decoding: text.dropLast(), as: UTF8.self)) ?? .max
            guard checkpoint >= number else {
                let promised = "the one at event \(number) had returned"
                throw SavedStateError(
                    description: "the log's last checkpoint is at event \(checkpoint), and \(promised)")
            }
        }
        try store.replay { [state] event in
            if event.sequence <= checkpoint { state.note("replayed although checkpointed") }
            state.apply(event)
        }
    }

    package func put(_ key: ByteString, _ payload: [UInt8]) throws { try append(key, ByteString(payload), weight: 1) }

    package func delete(_ key: ByteString) throws { try append(key, "", weight: -1) }

    private func append(_ key: ByteString, _ payload: ByteString, weight: Double) throws {
        clock.advance()
        let event = Event(entity: key, type: payload, weight: weight, timestamp: Int64(clamping: clock.now))
        let sequence = try store.append(event)
        if try store.append(event) != 0 { state.note("taken twice") }
        // A distinct event that is taken for a duplicate is acknowledged, and gone: the validator finds it.
        if sequence > 0 {
            state.apply(SequencedEvent(sequence: sequence, arrivalNanoseconds: clock.now, event: event))
        }
    }

    package func maintain(after seq: UInt64) throws {
        guard checkpointPeriod > 0 else { return }
        if seq % checkpointPeriod == 0 { try state.save(in: storage) }
        // Events go on while an application saves.
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
        try SealedFile.replace(Self.confirmed, with: Array("\(state.savedSequence)\n".utf8), in: storage)
    }

    /// What the events add up to. Those of the window are appended once more, which must change nothing.
    package func dump(_ emit: (ByteString, [UInt8]) throws -> Void) throws {
        // What is no longer in the log because it was truncated is known all the same as long as the window lasts.
        let truncated = state.recent.filter { $0.sequence < store.firstSequence }
        var kept: [SequencedEvent] = []
        var reader = try store.events(after: 0)
        while let event = try reader.next() { kept.append(event) }
        for event in truncated + kept.suffix(20) where isInWindow(event) {
            if try store.append(event.event) != 0 { state.note("taken again") }
        }
        for (key, payload) in state.items { try emit(key, payload) }
    }

    /// After storage that lost the newest events the rest may be older than the window: the clock goes by what recovery saw
    /// first.
    private func isInWindow(_ event: SequencedEvent) -> Bool {
        clock.now <= event.arrivalNanoseconds + UInt64(Self.windowSeconds) * 1_000_000_000
    }

    package consuming func close() throws { try store.close() }
}

/// A clock that counts operations, a second each, and goes on where the log ends: what is within the duplicate window
/// depends on the workload and on nothing else.
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
