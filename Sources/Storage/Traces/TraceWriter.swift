import Bytes
import Model

/// Writes a trace file: base records, events, end record (docs/trace-format.md).
///
/// Records are buffered; long data is written directly. The first failed write closes the writer, so that no record
/// follows a gap: every later call throws that error again. Buffered records are lost when the process is killed; a
/// reader then reports an unfinished trace.
///
/// Not thread safe: append under the lock that assigns operation ids.
public struct TraceWriter: ~Copyable, Sendable {
    /// Data from this size on is written directly, not through the buffer.
    private static let directBytes = 32 << 10
    private static let bufferBytes = 64 << 10
    private static let pageBytes: UInt64 = 4096

    private let file: TraceDescriptor
    private var encoder = TraceEncoder(reserving: TraceWriter.bufferBytes + TraceWriter.directBytes + 4096)
    private var storedBytes: UInt64 = 0
    /// The error for every further call: the trace is finished, or the first write error.
    private var ending: TraceFileError?

    /// Creates the file with mode 0600. Fails when it exists.
    public init(creating path: ByteString) throws(TraceFileError) {
        file = try TraceDescriptor(creating: path)
    }

    init(_ file: consuming TraceDescriptor) { self.file = file }

    public var path: ByteString { file.path }

    /// The length of the trace, including buffered records.
    public var sizeBytes: UInt64 { encoder.offsetBytes }

    /// Appends a base record; all of them must come before the events. Returns the record with its data's place in this
    /// file.
    @discardableResult
    public mutating func append(
        _ base: BaseRecord, data: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(TraceFileError) -> BaseRecord {
        let record = TraceRecord.base(base)
        guard let payload = try append(record, data: data), case .base(let moved) = record.moved(to: payload) else {
            return base
        }
        return moved
    }

    /// Appends the whole base tree, with contents from `store`, in chunks of at most 1 MiB.
    public mutating func append(base tree: Tree, from store: some PayloadStore) throws {
        for record in tree.baseRecords() {
            guard case .content(let inode, let offset, let data) = record else {
                try append(record)
                continue
            }
            for start in stride(from: 0, to: data.countBytes, by: 1 << 20) {
                let run = data.slice(start, count: min(1 << 20, data.countBytes - start))
                let bytes = try store.bytes(of: run)
                let piece = BaseRecord.content(inode, offsetBytes: offset + start, data: run)
                _ = try bytes.withUnsafeBytes { try append(piece, data: $0) }
            }
        }
    }

    /// Appends an event. `data` is the data of a write or oracle line; its length is that of the event's payload.
    /// Returns the event with its data's place in this file.
    @discardableResult
    public mutating func append(
        _ event: TraceEvent, data: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(TraceFileError) -> TraceEvent {
        guard let payload = try append(.event(event), data: data) else { return event }
        return event.moved(to: payload)
    }

    /// Appends an oracle line, without its newline. Returns its place in this file.
    @discardableResult
    public mutating func append(oracleLine line: UnsafeRawBufferPointer) throws(TraceFileError) -> Payload {
        let payload = Payload(offsetBytes: 0, countBytes: UInt64(line.count))
        return try append(.event(.oracle(payload)), data: line) ?? payload
    }

    /// Whether part of this appended data is still in the buffer.
    public func isBuffered(_ payload: Payload) -> Bool { payload.offsetBytes + payload.countBytes > storedBytes }

    /// Writes the buffer to the file, so that readers see all records.
    public mutating func flush() throws(TraceFileError) {
        if let ending { throw ending }
        try store()
    }

    /// Writes the end record, which completes the trace. Nothing can be appended afterwards.
    public mutating func finish() throws(TraceFileError) {
        if let ending { throw ending }
        do { try encoder.end() } catch { throw .trace(path: path, error) }
        try store()
        ending = .closed(path: path)
    }

    private mutating func append(
        _ record: TraceRecord, data: UnsafeRawBufferPointer
    ) throws(TraceFileError) -> Payload? {
        if let ending { throw ending }
        let isDirect = data.count >= Self.directBytes
        let payload: Payload?
        do {
            payload =
                isDirect ? try encoder.encodeHead(record, data: data) : try encoder.encode(record, data: data)
        } catch {
            throw .trace(path: path, error)
        }
        if isDirect {
            try store()
            try store(data)
            encoder.skipData(data.count)
        } else if encoder.unstoredBytes >= Self.bufferBytes {
            // Up to a page boundary: the kernel would have to zero-fill a partial page and look it up again.
            try store(encoder.unstoredBytes - Int(encoder.offsetBytes % Self.pageBytes))
        }
        return payload
    }

    /// Writes the first `countBytes` of the buffer to the file; nil for all.
    private mutating func store(_ countBytes: Int? = nil) throws(TraceFileError) {
        let count = countBytes ?? encoder.unstoredBytes
        let failure: TraceFileError? = encoder.withUnstoredBytes { bytes in
            do throws(TraceFileError) {
                try file.write(.init(rebasing: bytes[..<count]), at: storedBytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            ending = failure
            throw failure
        }
        storedBytes += UInt64(count)
        encoder.removeStored(count)
    }

    private mutating func store(_ data: UnsafeRawBufferPointer) throws(TraceFileError) {
        do throws(TraceFileError) {
            try file.write(data, at: storedBytes)
        } catch {
            ending = error
            throw error
        }
        storedBytes += UInt64(data.count)
    }
}
