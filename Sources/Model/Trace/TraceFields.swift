import Bytes

/// Decodes the fields in the body of a record. A missing or illegal field makes the record nil.
struct TraceFields {
    private var reader: ByteReader
    private let bodyOffsetBytes: UInt64
    private let version: UInt32

    /// - Parameter bodyOffsetBytes: the offset of the body in the trace.
    init(_ body: UnsafeRawBufferPointer, bodyOffsetBytes: UInt64, version: UInt32) {
        reader = ByteReader(body)
        self.bodyOffsetBytes = bodyOffsetBytes
        self.version = version
    }

    var isAtEnd: Bool { reader.remainingBytes == 0 }

    mutating func count() -> UInt64? { reader.integer() }

    mutating func record(_ kind: TraceFormat.Kind) -> TraceRecord? {
        switch kind {
        case .baseNode, .baseExtendedAttribute, .baseEntry, .baseContent:
            return base(kind).map(TraceRecord.base)
        case .completed:
            return id().map { .event(.completed($0)) }
        case .barrierBegan:
            guard let id = id(), let process = reader.integer(Int32.self), let barrier = barrier() else { return nil }
            return .event(.barrierBegan(id, barrier, process: process))
        case .barrierEnded:
            guard let id = id(), let errno = reader.integer(Int32.self) else { return nil }
            return .event(.barrierEnded(id, errno: errno))
        case .oracle:
            return .event(.oracle(data()))
        case .fault:
            guard let id = id(), let rule = string() else { return nil }
            return .event(.fault(id, rule: rule))
        case .baseEnd, .end:
            return nil
        default:
            guard let id = id(), let process = reader.integer(Int32.self), let flags = reader.integer(UInt8.self),
                let change = change(kind), let origin = origin(flags >> 1, of: change, process)
            else { return nil }
            return .event(
                .operation(Operation(id: id, change, process: process, origin: origin, isComplete: flags & 1 == 1)))
        }
    }

    private mutating func base(_ kind: TraceFormat.Kind) -> BaseRecord? {
        switch kind {
        case .baseNode:
            guard let inode = inode(), let kind = nodeKind(), let attributes = attributes(), let size = count() else {
                return nil
            }
            return .node(inode, kind, attributes, sizeBytes: size)
        case .baseExtendedAttribute:
            guard let inode = inode(), let name = string(), let value = string() else { return nil }
            return .extendedAttribute(inode, name: name, value: value)
        case .baseEntry:
            guard let entry = entry(), let inode = inode() else { return nil }
            return .entry(entry, inode)
        default:
            guard let inode = inode(), let offset = count() else { return nil }
            return .content(inode, offsetBytes: offset, data: data())
        }
    }

    private mutating func change(_ kind: TraceFormat.Kind) -> Change? {
        switch kind {
        case .write:
            guard let inode = inode(), let offset = count() else { return nil }
            return .write(inode, offsetBytes: offset, data: data())
        case .truncate:
            guard let inode = inode(), let size = count() else { return nil }
            return .truncate(inode, sizeBytes: size)
        case .allocate:
            guard let inode = inode(), let offset = count(), let length = count(),
                let allocation = reader.integer().flatMap(Allocation.init(rawValue:))
            else { return nil }
            return .allocate(inode, offsetBytes: offset, countBytes: length, allocation)
        case .create:
            guard let inode = inode(), let kind = nodeKind(), let attributes = attributes(), let entry = entry() else {
                return nil
            }
            return .create(inode, kind, attributes, at: entry)
        case .link:
            guard let inode = inode(), let entry = entry() else { return nil }
            return .link(inode, at: entry)
        case .unlink:
            return entry().map { .unlink($0) }
        case .rename:
            guard let from = entry(), let to = entry(), let mode = reader.integer().flatMap(RenameMode.init(rawValue:))
            else { return nil }
            return .rename(from: from, to: to, mode)
        case .setAttributes:
            guard let inode = inode(), let attributes = attributes() else { return nil }
            return .setAttributes(inode, attributes)
        case .setExtendedAttribute:
            guard let inode = inode(), let name = string(), let isSet = flag() else { return nil }
            guard isSet else { return .setExtendedAttribute(inode, name: name, value: nil) }
            return string().map { .setExtendedAttribute(inode, name: name, value: $0) }
        default:
            return nil
        }
    }

    // MARK: - Single fields

    private mutating func id() -> OperationID? { count().map(OperationID.init) }
    private mutating func inode() -> InodeID? { count().map(InodeID.init) }

    /// Version 1 has no origins. In it, a write by process 0 is a writeback.
    private func origin(_ number: UInt8, of change: Change, _ process: Int32) -> Operation.Origin? {
        guard version == 1 else { return Operation.Origin(rawValue: number) }
        guard number == 0 else { return nil }
        if case .write = change, process == 0 { return .writeback }
        return .call
    }

    private mutating func flag() -> Bool? {
        switch reader.integer(UInt8.self) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    private mutating func string() -> ByteString? {
        guard let count = reader.integer(UInt32.self), let run = reader.run(Int(count)) else { return nil }
        return ByteString(run)
    }

    private mutating func entry() -> DirectoryEntry? {
        guard let directory = inode(), let name = string() else { return nil }
        return DirectoryEntry(directory, name)
    }

    private mutating func attributes() -> Attributes? {
        guard let mode = reader.integer(UInt32.self), let owner = reader.integer(UInt32.self),
            let group = reader.integer(UInt32.self)
        else { return nil }
        return Attributes(mode: mode, owner: owner, group: group)
    }

    private mutating func nodeKind() -> NodeKind? {
        switch reader.integer().flatMap(TraceFormat.NodeTag.init(rawValue:)) {
        case .regular: .regular
        case .directory: .directory
        case .symbolicLink: string().map { .symbolicLink(target: $0) }
        case .fifo: .fifo
        case .socket: .socket
        case nil: nil
        }
    }

    private mutating func barrier() -> Barrier? {
        guard let tag = reader.integer().flatMap(TraceFormat.BarrierTag.init(rawValue:)),
            let number = reader.integer(UInt64.self)
        else { return nil }
        switch tag {
        case .fsync: return .fsync(InodeID(number))
        case .fdatasync: return .fdatasync(InodeID(number))
        case .flush: return number == 0 ? .flush : nil
        case .forceUnitAccess: return .forceUnitAccess(OperationID(number))
        }
    }

    /// The rest of the body as data.
    private mutating func data() -> Payload {
        let payload = Payload(
            offsetBytes: bodyOffsetBytes + UInt64(reader.offsetBytes), countBytes: UInt64(reader.remainingBytes))
        _ = reader.run(reader.remainingBytes)
        return payload
    }
}
