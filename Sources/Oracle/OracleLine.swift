import Bytes

/// One line of the oracle: the log of what a workload asked of the store and what the store acknowledged.
///
///     {"op":"put","seq":7,"key":"…","payload":"…","phase":"begin"}     intent
///     {"op":"put","seq":7,"key":"…","payload":"…"}                     acknowledged durable
///     {"op":"put","seq":7,"key":"…","payload":"…","phase":"failed"}    refused
///     {"op":"del","seq":8,"key":"…","txn":3}                           of batch 3
///     {"op":"restart"}
///
/// `key` and `payload` are base64. The format and what each line promises: docs/oracle-format.md.
public enum OracleLine: Hashable, Sendable {
    /// Written before the store is called: from here on the operation may be there after a crash.
    case begin(OracleOperation)
    /// Written only after the store's sync returned: from here on the operation must be there after a crash.
    case acknowledged(OracleOperation)
    /// Written after the store refused the operation with an error. Whether it took effect stays open, as of one in
    /// flight; but it is over, so whatever is acknowledged of a later operation on its key replaces it.
    case failed(OracleOperation)
    /// Written between two lives of the store: operations without an answer can no longer take effect after this line.
    case restart

    /// The operation that the line is about; nil for `restart`.
    public var operation: OracleOperation? {
        switch self {
        case .begin(let operation), .acknowledged(let operation), .failed(let operation): operation
        case .restart: nil
        }
    }

    /// Appends the line and its newline to `text`. What is appended parses back to the same line.
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

    /// The line with its newline: one write(2) of these bytes appends it to an oracle.
    public var encoded: [UInt8] {
        var text: [UInt8] = []
        append(to: &text)
        return text
    }
}
