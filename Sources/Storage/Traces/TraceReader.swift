import Bytes
import Model

/// Reads a trace file: its payloads, and cursors over its records.
///
/// Uses pread(2), not mmap(2), so that a shrinking file or a failing disk is an error and not a signal. The file may
/// still grow. Thread safe.
public final class TraceReader: PayloadStore, Sendable {
    private let file: TraceDescriptor

    public init(path: ByteString) throws(TraceFileError) {
        file = try TraceDescriptor(reading: path)
    }

    public var path: ByteString { file.path }

    public func bytes(of payload: Payload) throws -> [UInt8] {
        let (end, overflow) = payload.offsetBytes.addingReportingOverflow(payload.countBytes)
        // A damaged length must not cause a huge allocation: check it against the file size, except for small ones.
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

    /// The fastest payload store: memory if the file has at most `limitBytes`, otherwise the file.
    public func payloads(keepingAtMost limitBytes: UInt64) throws -> any PayloadStore {
        let size = try file.sizeBytes()
        guard size <= limitBytes else { return self }
        return PayloadArena(try bytes(of: Payload(offsetBytes: 0, countBytes: size)))
    }

    /// A cursor at the first record.
    public func cursor() -> TraceCursor { TraceCursor(self) }

    /// Loads all records, without their data. Throws on damage and for an incomplete base tree. Missing events at the
    /// end are not an error: see `ending`.
    public func load() throws(TraceFileError) -> RecordedTrace {
        var events: [TraceEvent] = []
        let (base, ending) = try read { event, _ in events.append(event) }
        return RecordedTrace(base: base, events: events, ending: ending)
    }

    /// Like `load`, but leaves the events of a long trace in the file.
    ///
    /// - Parameters:
    ///   - limit: keeps up to so many events in memory.
    ///   - onFailure: called when reading fails later; see `EventList`.
    package func load(
        keepingAtMost limit: Int, onFailure: @escaping @Sendable (any Error) -> Void
    ) throws(TraceFileError) -> (base: Tree, events: EventList, ending: TraceEnding) {
        var events: [TraceEvent] = []
        var offsets: [UInt64] = []
        var count = 0
        let (base, ending) = try read { event, offset in
            if count % EventFile.eventsPerChunk == 0 { offsets.append(offset) }
            count += 1
            if count <= limit { events.append(event) } else { events = [] }
        }
        guard count > limit else { return (base, EventList(events), ending) }
        let file = EventFile(self, count: count, chunksAt: offsets, onFailure: onFailure)
        return (base, EventList(file), ending)
    }

    /// Reads all records; passes each event with its file offset to `body`.
    private func read(
        _ body: (TraceEvent, UInt64) -> Void
    ) throws(TraceFileError) -> (base: Tree, ending: TraceEnding) {
        var cursor = cursor()
        var base: [BaseRecord] = []
        while let record = try cursor.next() {
            switch record {
            case .base(let record): base.append(record)
            case .event(let event): body(event, cursor.recordBytes)
            }
        }
        guard cursor.isBaseComplete else { throw .baseMissing(path: path, cursor.ending) }
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
