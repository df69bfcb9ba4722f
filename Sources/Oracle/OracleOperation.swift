import Bytes

/// What an operation of the workload did to its key.
public enum Action: Hashable, Sendable {
    case put(payload: [UInt8])
    case delete

    /// What the key holds once the operation has taken effect; nil when the key is not there.
    public var payload: [UInt8]? {
        guard case .put(let payload) = self else { return nil }
        return payload
    }
}

/// One operation that the workload asked of the store.
public struct OracleOperation: Hashable, Sendable {
    /// The operation's number; `OracleReader` says which numbers may stand where.
    public var seq: UInt64
    public var key: ByteString
    public var action: Action
    /// The operations of one atomic batch carry the same number; nil for an operation that stands alone.
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
