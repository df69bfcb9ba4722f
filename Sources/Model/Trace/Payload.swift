/// A run of bytes that lives in a payload store (the trace file, an arena), named by where it is kept.
///
/// The model never looks at data: it says which bytes survive. A trace of 1 GiB of writes therefore costs memory in
/// proportion to its operations.
public struct Payload: Hashable, Sendable {
    /// Where the run begins in its store, in bytes.
    public var offsetBytes: UInt64
    /// How long it is, in bytes.
    public var countBytes: UInt64

    public init(offsetBytes: UInt64, countBytes: UInt64) {
        self.offsetBytes = offsetBytes
        self.countBytes = countBytes
    }

    /// Zeros that are kept nowhere: what the kernel writes over the edges of a truncated or punched range.
    static func zeros(countBytes: UInt64) -> Payload { Payload(offsetBytes: zeroOffset, countBytes: countBytes) }

    /// No store is so large: what lies here is zeros.
    private static let zeroOffset: UInt64 = 1 << 63

    var isZeros: Bool { offsetBytes >= Payload.zeroOffset }

    /// The part of this run that begins `offset` bytes in and is `count` bytes long.
    public func slice(_ offset: UInt64, count: UInt64) -> Payload {
        precondition(offset + count <= countBytes, "a slice lies within its payload")
        return Payload(offsetBytes: offsetBytes + offset, countBytes: count)
    }
}

/// Where payloads are kept. Reading is safe from several threads.
public protocol PayloadStore: Sendable {
    /// The bytes of `payload`. Throws when the store cannot be read there.
    func bytes(of payload: Payload) throws -> [UInt8]
}
