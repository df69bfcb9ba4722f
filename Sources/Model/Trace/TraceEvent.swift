import Bytes

/// An event of a trace, in the order in which the storage saw it.
///
/// A *crash point* is a number of events: the crash at point c happens after the first c events.
public enum TraceEvent: Hashable, Sendable {
    /// An operation took effect.
    case operation(Operation)
    /// An operation that was recorded in flight has returned.
    case completed(OperationID)
    /// A barrier was called. It covers the operations that have completed before.
    case barrierBegan(OperationID, Barrier, process: Int32)
    /// The barrier returned. With errno 0 the covered changes are durable; otherwise it guarantees nothing.
    case barrierEnded(OperationID, errno: Int32)
    /// A line was appended to the oracle (without its newline).
    case oracle(Payload)
    /// A fault was injected into the operation or barrier with this id. `rule` is the text of the rule.
    case fault(OperationID, rule: ByteString)
}

extension TraceEvent {
    /// The same event with its data in another payload; an event without data is unchanged.
    public func moved(to payload: Payload) -> TraceEvent {
        switch self {
        case .oracle: return .oracle(payload)
        case .operation(var operation):
            guard case .write(let inode, let offset, _) = operation.change else { return self }
            operation.change = .write(inode, offsetBytes: offset, data: payload)
            return .operation(operation)
        default: return self
        }
    }
}
