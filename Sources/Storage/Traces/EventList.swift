import Bytes
import Model
import Platform

/// The events of a recorded run, in order. A short run is in memory. Of a long run only the file offset of each chunk
/// is in memory; chunks are read on demand, so memory does not grow with the run.
///
/// All records were read and validated when the list was made. If the disk fails later, `onFailure` is called and the
/// list returns placeholder events: the owner must then discard everything derived from them.
///
/// Value type; thread safe.
package struct EventList: RandomAccessCollection, Sendable {
    private enum Source {
        case memory([TraceEvent])
        case file(EventFile)
    }

    private let source: Source
    package let indices: Range<Int>
    /// Events that take the place of those in the source, by position.
    private var changes: [Int: TraceEvent] = [:]

    package init(_ events: [TraceEvent]) {
        source = .memory(events)
        indices = events.indices
    }

    init(_ file: EventFile) {
        source = .file(file)
        indices = 0..<file.count
    }

    private init(_ source: Source, _ indices: Range<Int>, _ changes: [Int: TraceEvent]) {
        self.source = source
        self.indices = indices
        self.changes = changes
    }

    /// The list with other events at these positions.
    package func replacing(_ events: [Int: TraceEvent]) -> EventList {
        EventList(source, indices, changes.merging(events) { $1 })
    }

    package var startIndex: Int { indices.lowerBound }
    package var endIndex: Int { indices.upperBound }

    package subscript(position: Int) -> TraceEvent {
        if !changes.isEmpty, let change = changes[position] { return change }
        switch source {
        case .memory(let events): return events[position]
        case .file(let file):
            return file.chunk(position / EventFile.eventsPerChunk)[position % EventFile.eventsPerChunk]
        }
    }

    package subscript(bounds: Range<Int>) -> EventList {
        precondition(bounds.lowerBound >= indices.lowerBound && bounds.upperBound <= indices.upperBound)
        return EventList(source, bounds, changes)
    }

    package func makeIterator() -> Iterator { Iterator(self) }

    /// Iterates over a list, a chunk at a time.
    package struct Iterator: IteratorProtocol {
        private let list: EventList
        private var position: Int
        private var chunk: [TraceEvent]
        /// The position of the first event of the chunk.
        private var chunkStart = 0

        init(_ list: EventList) {
            self.list = list
            position = list.startIndex
            if case .memory(let events) = list.source { chunk = events } else { chunk = [] }
        }

        package mutating func next() -> TraceEvent? {
            guard position < list.endIndex else { return nil }
            if position - chunkStart >= chunk.count || position < chunkStart { read() }
            defer { position += 1 }
            if !list.changes.isEmpty, let change = list.changes[position] { return change }
            return chunk[position - chunkStart]
        }

        private mutating func read() {
            guard case .file(let file) = list.source else { return }
            chunkStart = position / EventFile.eventsPerChunk * EventFile.eventsPerChunk
            chunk = file.chunk(position / EventFile.eventsPerChunk)
        }
    }
}

/// The events of a trace file, read a chunk at a time. Thread safe.
final class EventFile: Sendable {
    static let eventsPerChunk = 256
    /// The size of the cache of recent chunks: about fifty of them.
    private static let recentBytes = 2 << 20
    /// The approximate memory of an event.
    private static let eventBytes = 150

    let count: Int
    private let reader: TraceReader
    /// The file offset of each chunk.
    private let offsets: [UInt64]
    private let recent = Guarded(RecentValues<Int, [TraceEvent]>(limitBytes: EventFile.recentBytes))
    private let onFailure: @Sendable (any Error) -> Void

    init(
        _ reader: TraceReader, count: Int, chunksAt offsets: [UInt64],
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.reader = reader
        self.count = count
        self.offsets = offsets
        self.onFailure = onFailure
    }

    /// The events of a chunk: `eventsPerChunk` of them, fewer in the last one.
    func chunk(_ number: Int) -> [TraceEvent] {
        if let known = recent.withLock({ $0.value(of: number) }) { return known }
        let events = read(number)
        recent.withLock { _ = $0.insert(events, for: number, sizeBytes: Self.eventsPerChunk * Self.eventBytes) }
        return events
    }

    private func read(_ number: Int) -> [TraceEvent] {
        let wanted = Swift.min(Self.eventsPerChunk, count - number * Self.eventsPerChunk)
        var events: [TraceEvent] = []
        events.reserveCapacity(wanted)
        do {
            var cursor = TraceCursor(reader, eventsFrom: offsets[number])
            while events.count < wanted, case .event(let event)? = try cursor.next() { events.append(event) }
            guard events.count < wanted else { return events }
            onFailure(
                TraceFileError.dataMissing(path: reader.path, Payload(offsetBytes: offsets[number], countBytes: 0)))
        } catch {
            onFailure(error)
        }
        let placeholder = TraceEvent.fault(OperationID(0), rule: "")
        return events + Array(repeating: placeholder, count: wanted - events.count)
    }
}
