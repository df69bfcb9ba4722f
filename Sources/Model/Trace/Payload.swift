/// A reference to a run of bytes in a payload store (the trace file, an arena).
///
/// The model does not read data; it decides which bytes survive. A trace with 1 GiB of writes therefore needs memory only
/// in proportion to its operations.
public struct Payload: Hashable, Sendable {
    /// The offset of the run in its store, in bytes.
    public var offsetBytes: UInt64
    /// The length of the run, in bytes.
    public var countBytes: UInt64

    public init(offsetBytes: UInt64, countBytes: UInt64) {
        self.offsetBytes = offsetBytes
        self.countBytes = countBytes
    }

    /// Zeros that no store holds: the kernel writes them at the edges of a truncated or punched range.
    static func zeros(countBytes: UInt64) -> Payload { Payload(offsetBytes: zeroOffset, countBytes: countBytes) }

    /// Offsets from here on, beyond any store, are zeros.
    private static let zeroOffset: UInt64 = 1 << 63

    var isZeros: Bool { offsetBytes >= Payload.zeroOffset }

    /// The `count` bytes of this run from `offset` on.
    public func slice(_ offset: UInt64, count: UInt64) -> Payload {
        precondition(offset + count <= countBytes, "a slice lies within its payload")
        return Payload(offsetBytes: offsetBytes + offset, countBytes: count)
    }
}

/// A store of payloads. Reading is safe from several threads.
public protocol PayloadStore: Sendable {
    /// The bytes of `payload`. Throws if the store cannot be read there.
    func bytes(of payload: Payload) throws -> [UInt8]
}
