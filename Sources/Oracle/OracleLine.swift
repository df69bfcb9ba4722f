import Bytes

/// A line of the oracle: the log of a workload's operations and the store's acknowledgements.
///
///     {"op":"put","seq":7,"key":"…","payload":"…","phase":"begin"}     intent
///     {"op":"put","seq":7,"key":"…","payload":"…"}                     acknowledged durable
///     {"op":"put","seq":7,"key":"…","payload":"…","phase":"failed"}    failed
///     {"op":"del","seq":8,"key":"…","txn":3}                           in batch 3
///     {"op":"restart"}
///
/// `key` and `payload` are base64. docs/oracle-format.md specifies the format.
public enum OracleLine: Hashable, Sendable {
    /// Written before the call: from now on the operation may survive a crash.
    case begin(OracleOperation)
    /// Written after the store's sync returned: from now on the operation must survive a crash.
    case acknowledged(OracleOperation)
    /// Written after the operation failed with an error. Whether it took effect is unknown, as for one in flight. But
    /// it has ended, so later acknowledged operations on its key replace it.
    case failed(OracleOperation)
    /// Written between two lives of the store: unanswered operations cannot take effect after this line.
    case restart

    /// The line's operation; nil for `restart`.
    public var operation: OracleOperation? {
        switch self {
        case .begin(let operation), .acknowledged(let operation), .failed(let operation): operation
        case .restart: nil
        }
    }

    /// Appends the line and its newline to `text`. Parsing gives the same line again.
    public func append(to text: inout [UInt8]) {
        guard let operation else {
            text.append(contentsOf: #"{"op":"restart"}"#.utf8)
            text.append(UInt8(ascii: "\n"))
            return
        }
        let payload = operation.action.payload
        text.append(contentsOf: payload == nil ? #"{"op":"del","seq":"#.utf8 : #"{"op":"put","seq":"#.utf8)
        text.append(contentsOf: String(operation.seq).utf8)
        text.append(contentsOf: #","key":""#.utf8)
        Base64.append(operation.key.bytes, to: &text)
        if let payload {
            text.append(contentsOf: #"","payload":""#.utf8)
            Base64.append(payload, to: &text)
        }
        text.append(UInt8(ascii: "\""))
        if let txn = operation.txn { text.append(contentsOf: #","txn":\#(txn)"#.utf8) }
        switch self {
        case .begin: text.append(contentsOf: #","phase":"begin""#.utf8)
        case .failed: text.append(contentsOf: #","phase":"failed""#.utf8)
        case .acknowledged, .restart: break
        }
        text.append(contentsOf: "}\n".utf8)
    }

    /// The line with its newline. Append it to an oracle with a single write(2).
    public var encoded: [UInt8] {
        var text: [UInt8] = []
        append(to: &text)
        return text
    }
}
