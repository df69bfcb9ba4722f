import Bytes
import Model

/// Writes a trace file: the base records, then the events, then the end (docs/trace-format.md).
///
/// Records gather in a buffer; data too long to be worth copying goes straight to the file. A write that fails is
/// thrown at once and closes the writer, so that no record ever follows a gap: every later call throws that first error
/// again. What is still in the buffer when the
/// process dies is missing at the end of the file, and a reader says so.
///
/// Not thread safe: whoever gives operations their ids appends them under the same lock.
public struct TraceWriter: ~Copyable, Sendable {
    /// Data of this size and more is not copied into the buffer.
    private static let directBytes = 32 << 10
    private static let bufferBytes = 64 << 10
    private static let pageBytes: UInt64 = 4096

    private let file: TraceDescriptor
    private var encoder = TraceEncoder(reserving: TraceWriter.bufferBytes + TraceWriter.directBytes + 4096)
    private var storedBytes: UInt64 = 0
    /// What every further call throws: that the trace is whole, or the first error.
    private var ending: TraceFileError?

    /// Creates the file for its owner alone; an existing file is an error.
    public init(creating path: ByteString) throws(TraceFileError) {
        file = try TraceDescriptor(creating: path)
    }

    init(_ file: consuming TraceDescriptor) { self.file = file }

    public var path: ByteString { file.path }

    /// How long the trace is by now, in bytes, with what waits in the buffer.
    public var sizeBytes: UInt64 { encoder.offsetBytes }

    /// Adds a piece of the base tree, which comes before every event. The answer points to its data in this file.
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

    /// Adds the whole tree before the first event, with the content that `store` keeps, in runs of at most 1 MiB.
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

    /// Adds an event. `data` is that of a write or an oracle line, as long as the event's payload says; where that
    /// payload points does not matter. The answer is the event whose payload points to its data in this file.
    @discardableResult
    public mutating func append(
        _ event: TraceEvent, data: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(TraceFileError) -> TraceEvent {
        guard let payload = try append(.event(event), data: data) else { return event }
        return event.moved(to: payload)
    }

    /// Adds an oracle line (without its newline); answers where in this file it is.
    @discardableResult
    public mutating func append(oracleLine line: UnsafeRawBufferPointer) throws(TraceFileError) -> Payload {
        let payload = Payload(offsetBytes: 0, countBytes: UInt64(line.count))
        return try append(.event(.oracle(payload)), data: line) ?? payload
    }

    /// Whether some of this data, which was appended, has not been handed to the kernel yet.
    public func waits(_ payload: Payload) -> Bool { payload.offsetBytes + payload.countBytes > storedBytes }

    /// Hands everything that was appended to the kernel, so that a reader of the file finds it.
    public mutating func flush() throws(TraceFileError) {
        if let ending { throw ending }
        try store()
    }

    /// Writes the end record: the trace is whole. Nothing can be added after it.
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
        } else if encoder.waitingBytes >= Self.bufferBytes {
            // Up to the end of a page: one that is begun would have to be filled up with zeros, and found again.
            try store(encoder.waitingBytes - Int(encoder.offsetBytes % Self.pageBytes))
        }
        return payload
    }

    /// Stores this many of the bytes that wait; all without a number.
    private mutating func store(_ countBytes: Int? = nil) throws(TraceFileError) {
        let count = countBytes ?? encoder.waitingBytes
        let failure: TraceFileError? = encoder.withWaitingBytes { bytes in
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
