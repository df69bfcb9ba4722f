import Bytes
import Model

/// A walk over the records of a trace file, in order, in memory that is bounded by the longest record and the names and
/// inodes that there were. Every reader of traces goes this way: a trace that no storage can have done is refused
/// here (`TraceValidator`). Not thread safe.
public struct TraceCursor {
    private static let chunkBytes = 256 << 10

    private let reader: TraceReader
    private var decoder = TraceDecoder()
    /// Nil for a walk that begins within the events: all of them were checked before.
    private var validator: TraceValidator? = TraceValidator()
    private var isBaseChecked = false
    /// The bytes of the file from `windowOffset` on.
    private var window: [UInt8] = []
    private var windowOffset: UInt64 = 0
    /// How the trace ends, as far as it is known: meaningful after `next` answered `nil`.
    public private(set) var ending = TraceEnding.unfinished(atBytes: 0)

    init(_ reader: TraceReader) { self.reader = reader }

    /// A walk that begins within the events, where a record does.
    init(_ reader: TraceReader, eventsFrom offsetBytes: UInt64) {
        self.reader = reader
        decoder = TraceDecoder(eventsFrom: offsetBytes)
        validator = nil
        windowOffset = offsetBytes
    }

    /// Where the next record begins, in bytes.
    public var offsetBytes: UInt64 { decoder.offsetBytes }

    /// Where the record that was answered last begins, in bytes.
    var recordBytes: UInt64 { decoder.recordBytes }

    /// The base tree was there as a whole.
    public var isBaseWhole: Bool { decoder.isBaseWhole }

    /// The next record; `nil` where the trace ends, see `ending`. Throws at damage: what was answered before stands.
    /// A trace that is still being written can be asked again.
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
        guard decoder.isBaseWhole, !isBaseChecked else { return }
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

    /// Moves the window to the decoder's place, with at least `count` bytes, of which the file has so many.
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
        // The window keeps its room only as long as it is full; at the file's end it is cut to what is there.
        if got < window.count { window.removeSubrange(got...) }
        guard got >= count else {
            throw .dataMissing(path: reader.path, Payload(offsetBytes: offset, countBytes: UInt64(count)))
        }
    }
}
