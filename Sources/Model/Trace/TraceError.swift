/// What is wrong with the bytes of a trace, or with what was asked of an encoder. Offsets are in bytes from the
/// beginning of the trace.
public enum TraceError: Error, Hashable, Sendable {
    case notATrace
    case unsupportedVersion(UInt32)
    /// A checksum or a field is wrong. What was decoded before stands.
    case damaged(offsetBytes: UInt64, reason: String)
    /// The record needs `expected` bytes of data and was given `given`.
    case wrongDataCount(expected: UInt64, given: UInt64)
    /// A base record came after the first event, or something after the end.
    case outOfOrder(offsetBytes: UInt64)
    /// A record that says what no kernel would.
    case illegal(offsetBytes: UInt64, reason: String)
    /// A record longer than the format allows.
    case tooLong(bytes: UInt64)
}

extension TraceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notATrace: "not a trace: it does not begin with a trace's header"
        case .unsupportedVersion(let version):
            "trace of version \(version); this faultline reads versions \(TraceFormat.oldestVersion) to \(TraceFormat.version)"
        case .damaged(let offset, let reason): "damaged at byte \(offset): \(reason)"
        case .wrongDataCount(let expected, let given): "the record says \(expected) bytes of data, \(given) were given"
        case .outOfOrder(let offset): "record out of order at byte \(offset): base, then events, then the end"
        case .illegal(let offset, let reason): "illegal record at byte \(offset): \(reason)"
        case .tooLong(let bytes): "record of \(bytes) bytes; the longest is \(TraceFormat.maximumBodyBytes)"
        }
    }
}
