/// A record of a trace, as encoded and decoded.
public enum TraceRecord: Hashable, Sendable {
    case base(BaseRecord)
    case event(TraceEvent)
}

extension TraceRecord {
    /// The data of the record: of a write, an oracle line or a run of base content.
    public var payload: Payload? {
        switch self {
        case .base(.content(_, _, let data)), .event(.oracle(let data)): data
        case .event(.operation(let operation)):
            if case .write(_, _, let data) = operation.change { data } else { nil }
        default: nil
        }
    }

    /// The same record with its data in another payload; a record without data is unchanged.
    public func moved(to payload: Payload) -> TraceRecord {
        switch self {
        case .base(.content(let inode, let offset, _)):
            return .base(.content(inode, offsetBytes: offset, data: payload))
        case .event(let event): return .event(event.moved(to: payload))
        default: return self
        }
    }
}
