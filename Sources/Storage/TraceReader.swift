import Bytes
import Model

/// A trace file that is read: the store of its payloads, and the beginning of walks over its records.
///
/// Data is read with pread, never mapped: a file that shrinks or a disk that fails is an error and not a signal. The
/// file may still grow while it is read. Safe from several threads.
public final class TraceReader: PayloadStore, Sendable {
    private let file: TraceDescriptor

    public init(path: ByteString) throws(TraceFileError) {
        file = try TraceDescriptor(reading: path)
    }

    public var path: ByteString { file.path }

    public func bytes(of payload: Payload) throws -> [UInt8] {
        let (end, overflow) = payload.offsetBytes.addingReportingOverflow(payload.countBytes)
        // A damaged length must not make us ask for memory that the file cannot fill; a little is asked for at once.
        let isSmall = payload.countBytes <= TraceReader.smallBytes
        guard !overflow, try isSmall || end <= file.sizeBytes() else {
            throw TraceFileError.dataMissing(path: path, payload)
        }
        let count = Int(payload.countBytes)
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: payload.offsetBytes)
        }
        guard bytes.count == count else { throw TraceFileError.dataMissing(path: path, payload) }
        return bytes
    }

    private static let smallBytes: UInt64 = 64 << 10

    /// Where the data can be read from the fastest: memory, if the file is no larger than so many bytes.
    public func payloads(keepingAtMost limitBytes: UInt64) throws -> any PayloadStore {
        let size = try file.sizeBytes()
        guard size <= limitBytes else { return self }
        return PayloadArena(try bytes(of: Payload(offsetBytes: 0, countBytes: size)))
    }

    /// A walk over the records from the beginning.
    public func cursor() -> TraceCursor { TraceCursor(self) }

    /// Everything that can be read, in memory without the data. Throws at the first damage and when the base tree is not
    /// whole; a trace whose events were cut off is no error here: look at `ending`.
    public func load() throws(TraceFileError) -> RecordedTrace {
        var events: [TraceEvent] = []
        let (base, ending) = try read { event, _ in events.append(event) }
        return RecordedTrace(base: base, events: events, ending: ending)
    }

    /// The same with the events of a long trace left in the file.
    ///
    /// - Parameters:
    ///   - limit: up to so many events are in memory.
    ///   - onFailure: hears of a disk that fails afterwards; see `EventList`.
    package func load(
        keepingAtMost limit: Int, onFailure: @escaping @Sendable (any Error) -> Void
    ) throws(TraceFileError) -> (base: Tree, events: EventList, ending: TraceEnding) {
        var events: [TraceEvent] = []
        var offsets: [UInt64] = []
        var count = 0
        let (base, ending) = try read { event, offset in
            if count % EventFile.stretchCount == 0 { offsets.append(offset) }
            count += 1
            if count <= limit { events.append(event) } else { events = [] }
        }
        guard count > limit else { return (base, EventList(events), ending) }
        let file = EventFile(self, count: count, stretchesAt: offsets, onFailure: onFailure)
        return (base, EventList(file), ending)
    }

    /// Reads all of it; hands each event on with the place in the file where its record begins.
    private func read(
        _ take: (TraceEvent, UInt64) -> Void
    ) throws(TraceFileError) -> (base: Tree, ending: TraceEnding) {
        var cursor = cursor()
        var base: [BaseRecord] = []
        while let record = try cursor.next() {
            switch record {
            case .base(let record): base.append(record)
            case .event(let event): take(event, cursor.recordBytes)
            }
        }
        guard cursor.isBaseWhole else { throw .baseMissing(path: path, cursor.ending) }
        do throws(BaseTreeError) {
            return (base.isEmpty ? Tree() : try Tree(baseRecords: base), cursor.ending)
        } catch {
            throw .base(path: path, error)
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(TraceFileError) -> Int {
        try file.read(into: bytes, at: offset)
    }

    func sizeBytes() throws(TraceFileError) -> UInt64 { try file.sizeBytes() }
}
