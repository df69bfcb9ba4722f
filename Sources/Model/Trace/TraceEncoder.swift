import Bytes

/// Encodes records into the bytes of a trace (docs/trace-format.md). Pure: the bytes collect in `bytes`; the caller stores
/// them and calls `removeStored`.
///
/// The encoder enforces the order base, events, end: it writes the mark after the base by itself and refuses a record out of
/// order. After an error nothing was encoded. Not thread safe.
public struct TraceEncoder: Sendable {
    private enum Phase { case base, events, ended }

    private var output: ByteWriter
    private var storedBytes: UInt64 = 0
    private var phase = Phase.base
    private var baseCount: UInt64 = 0
    private var eventCount: UInt64 = 0

    /// Begins a trace. `bytes` holds its header.
    public init(reserving capacity: Int = 4096) {
        output = ByteWriter(reserving: capacity)
        TraceFormat.magic.withUnsafeBytes { output.append($0) }
        output.append(TraceFormat.version)
        output.append(CRC32C.checksum(output.bytes))
    }

    /// The encoded bytes that are not yet removed.
    public var bytes: [UInt8] { output.bytes }

    /// The number of bytes in `bytes`.
    public var unstoredBytes: Int { output.count }

    /// `bytes`, without a copy.
    public func withUnstoredBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        output.withBytes(body)
    }

    /// The length of the trace so far, in bytes.
    public var offsetBytes: UInt64 { storedBytes + UInt64(output.count) }

    /// Removes the first `countBytes` of `bytes`, which are stored now; all of them if nil.
    public mutating func removeStored(_ countBytes: Int? = nil) {
        let count = countBytes ?? output.count
        storedBytes += UInt64(count)
        output.removeFirst(count)
    }

    /// Encodes `record` and its data. Returns the payload of the data in the trace.
    @discardableResult
    public mutating func encode(_ record: TraceRecord, data: UnsafeRawBufferPointer) throws(TraceError) -> Payload? {
        let payload = try encodeHead(record, data: data)
        if payload != nil { output.append(data) }
        return payload
    }

    /// Encodes `record` without its data, which must directly follow `bytes` in the file. Call `skipData` when the data is
    /// stored. For data that is too long to copy.
    public mutating func encodeHead(
        _ record: TraceRecord, data: UnsafeRawBufferPointer
    ) throws(TraceError) -> Payload? {
        let expected = record.payload?.countBytes ?? 0
        guard expected == UInt64(data.count) else {
            throw .wrongDataCount(expected: expected, given: UInt64(data.count))
        }
        guard data.count <= TraceFormat.maximumBodyBytes - 4096 else { throw .tooLong(bytes: UInt64(data.count)) }
        if let reason = record.violation { throw .illegal(offsetBytes: offsetBytes, reason: reason) }
        switch (record, phase) {
        case (.base, .base): baseCount += 1
        case (.event, .base):
            endBase()
            eventCount += 1
        case (.event, .events): eventCount += 1
        default: throw .outOfOrder(offsetBytes: offsetBytes)
        }
        frame(data: data) { $0.fields(of: record) }
        return record.payload.map { Payload(offsetBytes: offsetBytes, countBytes: $0.countBytes) }
    }

    /// Advances the offset over data that the caller stored, after `encodeHead` and `removeStored`.
    public mutating func skipData(_ countBytes: Int) { storedBytes += UInt64(countBytes) }

    /// Encodes the end record: the trace is complete.
    public mutating func end() throws(TraceError) {
        if phase == .base { endBase() }
        guard phase == .events else { throw .outOfOrder(offsetBytes: offsetBytes) }
        phase = .ended
        let count = eventCount
        frame(data: .init(start: nil, count: 0)) {
            $0.output.append(count)
            return .end
        }
    }

    private mutating func endBase() {
        phase = .events
        let count = baseCount
        frame(data: .init(start: nil, count: 0)) {
            $0.output.append(count)
            return .baseEnd
        }
    }

    /// Writes a frame around the fields that `fields` writes and the data that follows them.
    private mutating func frame(data: UnsafeRawBufferPointer, fields: (inout TraceEncoder) -> TraceFormat.Kind) {
        let recordOffset = offsetBytes
        let start = output.count
        output.append(UInt64(0))
        output.append(UInt64(0))
        let kind = fields(&self)
        let body = UInt64(output.count - start - TraceFormat.frameBytes + data.count)
        let word = body << 8 | UInt64(kind.rawValue)
        output.replace(at: start, with: word)
        let placed = (recordOffset.littleEndian, word.littleEndian)
        output.replace(at: start + 8, with: withUnsafeBytes(of: placed) { CRC32C.checksum($0) })
        let check = output.withBytes { bytes in
            let head = CRC32C.checksum(.init(rebasing: bytes[start..<start + 12]))
            let fields = CRC32C.checksum(.init(rebasing: bytes[(start + TraceFormat.frameBytes)...]), extending: head)
            return data.isEmpty ? fields : CRC32C.checksum(data, extending: fields)
        }
        output.replace(at: start + 12, with: check)
    }
}

// MARK: - Fields

extension TraceEncoder {
    private mutating func fields(of record: TraceRecord) -> TraceFormat.Kind {
        switch record {
        case .base(let base): fields(of: base)
        case .event(let event): fields(of: event)
        }
    }

    private mutating func fields(of base: BaseRecord) -> TraceFormat.Kind {
        switch base {
        case .node(let inode, let kind, let attributes, let size):
            output.append(inode.rawValue)
            append(kind)
            append(attributes)
            output.append(size)
            return .baseNode
        case .extendedAttribute(let inode, let name, let value):
            output.append(inode.rawValue)
            append(name)
            append(value)
            return .baseExtendedAttribute
        case .entry(let entry, let inode):
            append(entry)
            output.append(inode.rawValue)
            return .baseEntry
        case .content(let inode, let offset, _):
            output.append(inode.rawValue)
            output.append(offset)
            return .baseContent
        }
    }

    private mutating func fields(of event: TraceEvent) -> TraceFormat.Kind {
        switch event {
        case .operation(let operation):
            output.append(operation.id.rawValue)
            output.append(operation.process)
            output.append((operation.isComplete ? 1 : 0) | operation.origin.rawValue << 1)
            return fields(of: operation.change)
        case .completed(let id):
            output.append(id.rawValue)
            return .completed
        case .barrierBegan(let id, let barrier, let process):
            output.append(id.rawValue)
            output.append(process)
            append(barrier)
            return .barrierBegan
        case .barrierEnded(let id, let errno):
            output.append(id.rawValue)
            output.append(errno)
            return .barrierEnded
        case .oracle:
            return .oracle
        case .fault(let id, let rule):
            output.append(id.rawValue)
            append(rule)
            return .fault
        }
    }

    private mutating func fields(of change: Change) -> TraceFormat.Kind {
        switch change {
        case .write(let inode, let offset, _):
            output.append(inode.rawValue)
            output.append(offset)
            return .write
        case .truncate(let inode, let size):
            output.append(inode.rawValue)
            output.append(size)
            return .truncate
        case .allocate(let inode, let offset, let count, let allocation):
            output.append(inode.rawValue)
            output.append(offset)
            output.append(count)
            output.append(allocation.rawValue)
            return .allocate
        case .create(let inode, let kind, let attributes, let entry):
            output.append(inode.rawValue)
            append(kind)
            append(attributes)
            append(entry)
            return .create
        case .link(let inode, let entry):
            output.append(inode.rawValue)
            append(entry)
            return .link
        case .unlink(let entry):
            append(entry)
            return .unlink
        case .rename(let from, let to, let mode):
            append(from)
            append(to)
            output.append(mode.rawValue)
            return .rename
        case .setAttributes(let inode, let attributes):
            output.append(inode.rawValue)
            append(attributes)
            return .setAttributes
        case .setExtendedAttribute(let inode, let name, let value):
            output.append(inode.rawValue)
            append(name)
            output.append(value == nil ? 0 as UInt8 : 1)
            if let value { append(value) }
            return .setExtendedAttribute
        }
    }

    private mutating func append(_ string: ByteString) {
        output.append(UInt32(clamping: string.count))
        string.bytes.withUnsafeBytes { output.append($0) }
    }

    private mutating func append(_ entry: DirectoryEntry) {
        output.append(entry.directory.rawValue)
        append(entry.name)
    }

    private mutating func append(_ attributes: Attributes) {
        output.append(attributes.mode)
        output.append(attributes.owner)
        output.append(attributes.group)
    }

    private mutating func append(_ kind: NodeKind) {
        let tag: TraceFormat.NodeTag =
            switch kind {
            case .regular: .regular
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .fifo: .fifo
            case .socket: .socket
            }
        output.append(tag.rawValue)
        if case .symbolicLink(let target) = kind { append(target) }
    }

    private mutating func append(_ barrier: Barrier) {
        let (tag, number): (TraceFormat.BarrierTag, UInt64) =
            switch barrier {
            case .fsync(let inode): (.fsync, inode.rawValue)
            case .fdatasync(let inode): (.fdatasync, inode.rawValue)
            case .flush: (.flush, 0)
            case .forceUnitAccess(let write): (.forceUnitAccess, write.rawValue)
            }
        output.append(tag.rawValue)
        output.append(number)
    }
}
