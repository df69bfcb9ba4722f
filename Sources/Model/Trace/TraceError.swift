/// Why the bytes of a trace are invalid, or why a record cannot be encoded. Offsets are in bytes from the beginning of the
/// trace.
public enum TraceError: Error, Hashable, Sendable {
    case notATrace
    case unsupportedVersion(UInt32)
    /// A checksum or a field is wrong. Records decoded before are valid.
    case damaged(offsetBytes: UInt64, reason: String)
    /// The record has `expected` bytes of data, but `given` were passed.
    case wrongDataCount(expected: UInt64, given: UInt64)
    /// A base record after the first event, or a record after the end.
    case outOfOrder(offsetBytes: UInt64)
    /// A record that no kernel operation can produce.
    case illegal(offsetBytes: UInt64, reason: String)
    /// A record longer than the format allows.
    case tooLong(bytes: UInt64)
}

extension TraceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notATrace: "not a trace: it does not begin with the header of a trace"
        case .unsupportedVersion(let version):
            "trace of version \(version); this faultline reads versions \(TraceFormat.oldestVersion) to \(TraceFormat.version)"
        case .damaged(let offset, let reason): "damaged at byte \(offset): \(reason)"
        case .wrongDataCount(let expected, let given):
            "the record has \(expected) bytes of data, but \(given) were given"
        case .outOfOrder(let offset): "record out of order at byte \(offset): base, then events, then the end"
        case .illegal(let offset, let reason): "illegal record at byte \(offset): \(reason)"
        case .tooLong(let bytes): "record of \(bytes) bytes; the longest is \(TraceFormat.maximumBodyBytes)"
        }
    }
}
