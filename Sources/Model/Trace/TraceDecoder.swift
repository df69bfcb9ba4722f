import Bytes

/// Decodes the bytes of a trace into records (docs/trace-format.md). Pure: the caller passes a window of the file that
/// begins at `offsetBytes`, and gets a record or the number of bytes that the window must have.
///
/// No byte is used before its checksum is verified, and no input can trap. Not thread safe.
public struct TraceDecoder: Sendable {
    public enum Step: Hashable, Sendable {
        case record(TraceRecord)
        /// The window must hold this many bytes from `offsetBytes`. A file that ends earlier is cut off.
        case needs(countBytes: Int)
        /// The end record was read: the trace is complete.
        case end
    }

    private enum Phase { case header, base, events, ended }

    /// The offset of the next record, in bytes.
    public private(set) var offsetBytes: UInt64 = 0
    /// The offset of the last decoded record, in bytes.
    public private(set) var recordBytes: UInt64 = 0
    private var phase = Phase.header
    private var version = TraceFormat.version
    private var baseCount: UInt64 = 0
    /// The number of decoded events.
    public private(set) var eventCount: UInt64 = 0

    public init() {}

    /// A decoder that starts within the events of a trace, at the record at `offsetBytes`. It cannot decode the end record,
    /// which holds the number of all events.
    package init(eventsFrom offsetBytes: UInt64) {
        self.offsetBytes = offsetBytes
        phase = .events
    }

    /// Whether the whole base tree was decoded (or the trace has none).
    public var isBaseComplete: Bool { phase == .events || phase == .ended }

    /// Decodes the record at `offsetBytes`. `window` holds the bytes from there on.
    public mutating func next(in window: UnsafeRawBufferPointer) throws(TraceError) -> Step {
        var rest = window
        while true {
            if phase == .ended { return .end }
            if phase == .header {
                guard rest.count >= TraceFormat.headerBytes else { return try Self.needsHeader(rest) }
                version = try Self.checkHeader(rest)
                phase = .base
                offsetBytes = UInt64(TraceFormat.headerBytes)
                rest = .init(rebasing: rest[TraceFormat.headerBytes...])
            }
            guard rest.count >= TraceFormat.frameBytes else { return .needs(countBytes: TraceFormat.frameBytes) }
            let (kind, bodyBytes) = try frame(rest)
            let countBytes = TraceFormat.frameBytes + bodyBytes
            guard rest.count >= countBytes else { return .needs(countBytes: countBytes) }
            let whole = UnsafeRawBufferPointer(rebasing: rest[..<countBytes])
            try checkBody(whole)
            if let record = try decode(kind, .init(rebasing: whole[TraceFormat.frameBytes...])) {
                recordBytes = offsetBytes
                offsetBytes += UInt64(countBytes)
                return .record(record)
            }
            offsetBytes += UInt64(countBytes)
            rest = .init(rebasing: rest[countBytes...])
        }
    }

    // MARK: - Checks

    private static func needsHeader(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> Step {
        guard zip(bytes, TraceFormat.magic).allSatisfy({ $0 == $1 }) else { throw .notATrace }
        return .needs(countBytes: TraceFormat.headerBytes)
    }

    /// Returns the version.
    private static func checkHeader(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> UInt32 {
        guard bytes.prefix(TraceFormat.magic.count).elementsEqual(TraceFormat.magic) else { throw .notATrace }
        var reader = ByteReader(.init(rebasing: bytes[TraceFormat.magic.count..<TraceFormat.headerBytes]))
        guard let version = reader.integer(UInt32.self), let check = reader.integer(UInt32.self),
            check == CRC32C.checksum(.init(rebasing: bytes[..<(TraceFormat.headerBytes - 4)]))
        else { throw .damaged(offsetBytes: 0, reason: "the header's checksum is wrong") }
        guard (TraceFormat.oldestVersion...TraceFormat.version).contains(version) else {
            throw .unsupportedVersion(version)
        }
        return version
    }

    private func frame(_ bytes: UnsafeRawBufferPointer) throws(TraceError) -> (TraceFormat.Kind, bodyBytes: Int) {
        let word = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let check = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let offsetChecksum = withUnsafeBytes(of: offsetBytes.littleEndian) { CRC32C.checksum($0) }
        guard CRC32C.checksum(.init(rebasing: bytes[..<8]), extending: offsetChecksum) == check else {
            throw damage("the frame's checksum is wrong")
        }
        guard let kind = TraceFormat.Kind(rawValue: UInt8(truncatingIfNeeded: word)) else {
            throw damage("record of unknown kind \(word & 0xFF)")
        }
        guard word >> 8 <= UInt64(TraceFormat.maximumBodyBytes) else { throw .tooLong(bytes: word >> 8) }
        return (kind, Int(word >> 8))
    }

    private func checkBody(_ record: UnsafeRawBufferPointer) throws(TraceError) {
        let check = UInt32(littleEndian: record.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        let head = CRC32C.checksum(.init(rebasing: record[..<12]))
        guard CRC32C.checksum(.init(rebasing: record[TraceFormat.frameBytes...]), extending: head) == check else {
            throw damage("the record's checksum is wrong")
        }
    }

    private func damage(_ reason: String) -> TraceError { .damaged(offsetBytes: offsetBytes, reason: reason) }

    // MARK: - Records

    /// The record of `kind` in `body`; nil for a mark, which changes the phase.
    private mutating func decode(
        _ kind: TraceFormat.Kind, _ body: UnsafeRawBufferPointer
    ) throws(TraceError) -> TraceRecord? {
        let bodyOffset = offsetBytes + UInt64(TraceFormat.frameBytes)
        var fields = TraceFields(body, bodyOffsetBytes: bodyOffset, version: version)
        switch kind {
        case .baseEnd:
            guard phase == .base else { throw .outOfOrder(offsetBytes: offsetBytes) }
            guard fields.count() == baseCount, fields.isAtEnd else { throw damage("base records are missing") }
            phase = .events
            return nil
        case .end:
            guard phase == .events else { throw .outOfOrder(offsetBytes: offsetBytes) }
            guard fields.count() == eventCount, fields.isAtEnd else { throw damage("events are missing") }
            phase = .ended
            return nil
        default:
            guard let record = fields.record(kind), fields.isAtEnd else { throw damage("a field is wrong") }
            if let reason = record.violation { throw .illegal(offsetBytes: offsetBytes, reason: reason) }
            switch (record, phase) {
            case (.base, .base): baseCount += 1
            case (.event, .events): eventCount += 1
            default: throw .outOfOrder(offsetBytes: offsetBytes)
            }
            return record
        }
    }
}
