import Bytes
import Model

/// The events of a recorded run, in order. Few are in memory. Of many it is known where in the trace file each stretch of
/// them begins, and a stretch is read when it is looked at: memory does not grow with the run.
///
/// Every record was read and found whole once, when the list was made. Should the disk fail after that, `onFailure` hears
/// of it, and the events that are asked for from then on say nothing: whoever made the list throws away what was derived
/// from them. Value type; safe from several threads.
package struct EventList: RandomAccessCollection, Sendable {
    private enum Source {
        case memory([TraceEvent])
        case file(EventFile)
    }

    private let source: Source
    package let indices: Range<Int>

    package init(_ events: [TraceEvent]) {
        source = .memory(events)
        indices = events.indices
    }

    init(_ file: EventFile) {
        source = .file(file)
        indices = 0..<file.count
    }

    private init(_ source: Source, _ indices: Range<Int>) {
        self.source = source
        self.indices = indices
    }

    package var startIndex: Int { indices.lowerBound }
    package var endIndex: Int { indices.upperBound }

    package subscript(place: Int) -> TraceEvent {
        switch source {
        case .memory(let events): events[place]
        case .file(let file): file.stretch(place / EventFile.stretchCount)[place % EventFile.stretchCount]
        }
    }

    package subscript(bounds: Range<Int>) -> EventList {
        precondition(bounds.lowerBound >= indices.lowerBound && bounds.upperBound <= indices.upperBound)
        return EventList(source, bounds)
    }

    package func makeIterator() -> Iterator { Iterator(self) }

    /// Goes through a list in order, a stretch at a time.
    package struct Iterator: IteratorProtocol {
        private let list: EventList
        private var place: Int
        private var stretch: [TraceEvent]
        /// The place of the first event of the stretch.
        private var stretchBegin = 0

        init(_ list: EventList) {
            self.list = list
            place = list.startIndex
            if case .memory(let events) = list.source { stretch = events } else { stretch = [] }
        }

        package mutating func next() -> TraceEvent? {
            guard place < list.endIndex else { return nil }
            if place - stretchBegin >= stretch.count || place < stretchBegin { read() }
            defer { place += 1 }
            return stretch[place - stretchBegin]
        }

        private mutating func read() {
            guard case .file(let file) = list.source else { return }
            stretchBegin = place / EventFile.stretchCount * EventFile.stretchCount
            stretch = file.stretch(place / EventFile.stretchCount)
        }
    }
}

/// The events of a trace file, read a stretch at a time. Safe from several threads.
final class EventFile: Sendable {
    static let stretchCount = 256
    /// What the stretches that were read last may take: some fifty of them.
    private static let recentBytes = 2 << 20
    /// About what an event takes in memory.
    private static let eventBytes = 150

    let count: Int
    private let reader: TraceReader
    /// Where each stretch begins in the file.
    private let offsets: [UInt64]
    private let recent = Guarded(RecentValues<Int, [TraceEvent]>(limitBytes: EventFile.recentBytes))
    private let onFailure: @Sendable (any Error) -> Void

    init(
        _ reader: TraceReader, count: Int, stretchesAt offsets: [UInt64],
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.reader = reader
        self.count = count
        self.offsets = offsets
        self.onFailure = onFailure
    }

    /// The events of a stretch: as many as there are, `stretchCount` of each but the last.
    func stretch(_ number: Int) -> [TraceEvent] {
        if let known = recent.withLock({ $0.value(of: number) }) { return known }
        let events = read(number)
        recent.withLock { _ = $0.insert(events, for: number, sizeBytes: Self.stretchCount * Self.eventBytes) }
        return events
    }

    private func read(_ number: Int) -> [TraceEvent] {
        let wanted = Swift.min(Self.stretchCount, count - number * Self.stretchCount)
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
        let nothing = TraceEvent.fault(OperationID(0), rule: "")
        return events + Array(repeating: nothing, count: wanted - events.count)
    }
}
