import Bytes
import Model

/// Iterates over the records of a trace file. All readers use it, and it validates every record (`TraceValidator`), so
/// that no reader sees an impossible trace. Memory is bounded by the longest record plus the names and inodes. Not
/// thread safe.
public struct TraceCursor {
    private static let chunkBytes = 256 << 10

    private let reader: TraceReader
    private var decoder = TraceDecoder()
    /// nil for a cursor that starts within the events: they were validated before.
    private var validator: TraceValidator? = TraceValidator()
    private var isBaseChecked = false
    /// The bytes of the file from `windowOffset` on.
    private var window: [UInt8] = []
    private var windowOffset: UInt64 = 0
    /// How the trace ends. Valid after `next` has returned nil.
    public private(set) var ending = TraceEnding.unfinished(atBytes: 0)

    init(_ reader: TraceReader) { self.reader = reader }

    /// A cursor that starts within the events, at the start of a record.
    init(_ reader: TraceReader, eventsFrom offsetBytes: UInt64) {
        self.reader = reader
        decoder = TraceDecoder(eventsFrom: offsetBytes)
        validator = nil
        windowOffset = offsetBytes
    }

    /// The offset of the next record.
    public var offsetBytes: UInt64 { decoder.offsetBytes }

    /// The offset of the last returned record.
    var recordBytes: UInt64 { decoder.recordBytes }

    /// Whether the base tree was complete.
    public var isBaseComplete: Bool { decoder.isBaseComplete }

    /// The next record; nil at the end of the trace (see `ending`). Throws on damage; earlier records stay valid. May
    /// be called again after nil, for a trace that is still being written.
    public mutating func next() throws(TraceFileError) -> TraceRecord? {
        while true {
            let step = try step()
            try checkBase()
            switch step {
            case .record(let record):
                try check(record)
                return record
            case .end:
                guard try reader.sizeBytes() == decoder.offsetBytes else {
                    throw .trace(
                        path: reader.path,
                        .damaged(offsetBytes: decoder.offsetBytes, reason: "there are bytes after the end record"))
                }
                ending = .whole
                return nil
            case .needs(let count):
                let size = try reader.sizeBytes()
                let end = decoder.offsetBytes + UInt64(count)
                guard end <= size else {
                    ending =
                        size == decoder.offsetBytes
                        ? .unfinished(atBytes: size)
                        : .cutOff(recordBytes: decoder.offsetBytes, missingBytes: end - size)
                    return nil
                }
                try fill(count, fileBytes: size)
            }
        }
    }

    private mutating func checkBase() throws(TraceFileError) {
        guard decoder.isBaseComplete, !isBaseChecked else { return }
        isBaseChecked = true
        do throws(BaseTreeError) { try validator?.checkBaseEnd() } catch { throw .base(path: reader.path, error) }
    }

    private mutating func check(_ record: TraceRecord) throws(TraceFileError) {
        switch record {
        case .base(let base):
            do throws(BaseTreeError) { try validator?.check(base) } catch { throw .base(path: reader.path, error) }
        case .event(let event):
            do throws(IllegalEvent) {
                try validator?.check(event)
            } catch {
                throw .illegal(
                    path: reader.path, event: decoder.eventCount, offsetBytes: decoder.recordBytes, error)
            }
        }
    }

    private mutating func step() throws(TraceFileError) -> TraceDecoder.Step {
        let skip = Int(decoder.offsetBytes - windowOffset)
        // A rethrowing closure cannot carry the typed error through.
        let result: Result<TraceDecoder.Step, TraceError> = window.withUnsafeBytes { bytes in
            do throws(TraceError) {
                return .success(try decoder.next(in: .init(rebasing: bytes[min(skip, bytes.count)...])))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let step): return step
        case .failure(let error): throw .trace(path: reader.path, error)
        }
    }

    /// Moves the window to the decoder's offset and reads at least `count` bytes. The file has that many.
    private mutating func fill(_ count: Int, fileBytes: UInt64) throws(TraceFileError) {
        let offset = decoder.offsetBytes
        let wanted = max(count, min(Self.chunkBytes, Int(clamping: fileBytes - offset)))
        if window.count < wanted { window = [UInt8](repeating: 0, count: wanted) }
        let result: Result<Int, TraceFileError> = window.withUnsafeMutableBytes { bytes in
            do throws(TraceFileError) {
                return .success(try reader.read(into: bytes, at: offset))
            } catch {
                return .failure(error)
            }
        }
        windowOffset = offset
        let got = try result.get()
        // The window shrinks only at the end of the file.
        if got < window.count { window.removeSubrange(got...) }
        guard got >= count else {
            throw .dataMissing(path: reader.path, Payload(offsetBytes: offset, countBytes: UInt64(count)))
        }
    }
}
