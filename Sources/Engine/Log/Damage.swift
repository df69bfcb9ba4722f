import Bytes

/// Damage in a segment: bytes that are not a record of this log.
public struct Damage: Hashable, Sendable {
    public var segment: ByteString
    public var offsetBytes: UInt64
    public var reason: DamageReason
}

/// The kind of damage.
public enum DamageReason: Error, Hashable, Sendable {
    case wrongMagic(UInt32)
    case keyTooLarge(UInt32)
    case payloadTooLarge(UInt32)
    /// The file ends inside the record.
    case cutShort
    case wrongChecksum(found: UInt32, expected: UInt32)
    /// A whole record with a wrong LSN: stale bytes, or records are missing before it.
    case wrongLSN(found: LSN, expected: LSN)
    /// A batch without a commit, or a commit that does not match the records before it.
    case incompleteBatch
    /// The segment does not begin with a header of its own shard and sequence.
    case wrongSegmentHeader
    /// A segment header in the middle of a segment.
    case misplacedSegmentHeader
    /// Bytes after the zeros at the end of a segment.
    case bytesAfterEnd
    /// A segment is missing between two that exist.
    case missingSegment(ByteString)

    /// The checksum is correct, so that the record was written by a newer version of this format.
    case unknownVersion(UInt8)
    case foreignVersion(UInt8, ofSegment: UInt8)
    case unknownType(UInt8)
    case reservedFlags(UInt16)

    /// Whether the record is whole but of an unknown format. Such a record is never dropped as a torn tail, because that
    /// would destroy data that a newer version acknowledged.
    var isUnsupported: Bool {
        switch self {
        case .unknownVersion, .foreignVersion, .unknownType, .reservedFlags: true
        default: false
        }
    }
}

extension Damage: CustomStringConvertible {
    public var description: String { "\(segment) at \(offsetBytes): \(reason)" }
}

extension DamageReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongMagic(let magic): "no record begins here (magic \(hex(magic)))"
        case .keyTooLarge(let count): "a key of \(count) bytes, more than \(LogLimits.keySizeBytes)"
        case .payloadTooLarge(let count): "a payload of \(count) bytes, more than \(LogLimits.payloadSizeBytes)"
        case .cutShort: "the file ends inside the record"
        case .wrongChecksum(let found, let expected): "checksum \(hex(found)), expected \(hex(expected))"
        case .wrongLSN(let found, let expected): "\(found), expected \(expected)"
        case .incompleteBatch: "a batch without its commit"
        case .wrongSegmentHeader: "the segment does not begin with its header"
        case .misplacedSegmentHeader: "a segment header in the middle of a segment"
        case .bytesAfterEnd: "unused space with bytes after it"
        case .missingSegment(let name): "the segment \(name) before it is missing"
        case .unknownVersion(let version): "format version \(version); this program knows up to \(Frame.version)"
        case .foreignVersion(let version, let ofSegment):
            "a record of version \(version) in a segment of version \(ofSegment)"
        case .unknownType(let type): "a record of the unknown type \(type)"
        case .reservedFlags(let flags): "reserved flags \(flags) are set"
        }
    }

    private func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
