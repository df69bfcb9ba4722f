import Bytes

/// The effect of an operation on its key.
public enum Action: Hashable, Sendable {
    case put(payload: [UInt8])
    case delete

    /// The key's payload after the operation; nil for a delete.
    public var payload: [UInt8]? {
        guard case .put(let payload) = self else { return nil }
        return payload
    }
}

/// An operation of the workload.
public struct OracleOperation: Hashable, Sendable {
    /// The operation's number; `SequenceRules` has the rules.
    public var seq: UInt64
    public var key: ByteString
    public var action: Action
    /// The number of its atomic batch; nil for a single operation.
    public var txn: UInt64?

    public init(seq: UInt64, key: ByteString, action: Action, txn: UInt64? = nil) {
        self.seq = seq
        self.key = key
        self.action = action
        self.txn = txn
    }

    public static func put(_ seq: UInt64, _ key: ByteString, _ payload: [UInt8], txn: UInt64? = nil) -> Self {
        Self(seq: seq, key: key, action: .put(payload: payload), txn: txn)
    }

    public static func delete(_ seq: UInt64, _ key: ByteString, txn: UInt64? = nil) -> Self {
        Self(seq: seq, key: key, action: .delete, txn: txn)
    }
}
