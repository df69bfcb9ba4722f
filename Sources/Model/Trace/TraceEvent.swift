import Bytes

/// One event of a trace, in the order in which the storage saw it.
///
/// A *crash point* is a number of events: the crash at point c has seen the first c events and nothing later.
public enum TraceEvent: Hashable, Sendable {
    /// An operation took effect.
    case operation(Operation)
    /// An operation that was recorded in flight returned to its caller.
    case completed(OperationID)
    /// A barrier was asked for. It covers what had completed before.
    case barrierBegan(OperationID, Barrier, process: Int32)
    /// The barrier returned: with 0 it keeps its promise, otherwise with an errno and it promises nothing.
    case barrierEnded(OperationID, errno: Int32)
    /// A line was appended to the oracle (without its newline).
    case oracle(Payload)
    /// A fault was injected into the operation or the barrier with this id. The text is the rule's, as it prints.
    case fault(OperationID, rule: ByteString)
}

extension TraceEvent {
    /// The same event with its data kept elsewhere; an event without data is unchanged.
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
