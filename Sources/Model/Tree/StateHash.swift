import Bytes

/// A 128-bit hash of a visible tree, or of a part of one. Parts are combined by XOR, so that a change costs two steps: remove
/// the old part, add the new one. Each part is mixed with its position first, so that equal changes at two positions do not
/// cancel.
///
/// It tells states apart; it is not secure against an adversary.
public struct StateHash: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    static let zero = StateHash(high: 0, low: 0)

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The hash of `value` at a position.
    @inline(__always)
    init(_ position: UInt64, _ value: UInt64) {
        high = StateHash.mix((position &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ value)
        low = StateHash.mix(high &+ value &* 0xD1B5_4A32_D192_ED03)
    }

    init(_ position: UInt64, _ bytes: [UInt8]) {
        self.init(position, UInt64(bytes.count))
        for byte in bytes { self = .mixed(self, StateHash(2, UInt64(byte))) }
    }

    @inline(__always)
    static func ^ (left: StateHash, right: StateHash) -> StateHash {
        StateHash(high: left.high ^ right.high, low: left.low ^ right.low)
    }

    @inline(__always)
    package static func ^= (left: inout StateHash, right: StateHash) { left = left ^ right }

    /// A mix of both hashes that depends on their order.
    @inline(__always)
    package static func mixed(_ one: StateHash, _ two: StateHash) -> StateHash {
        let high = mix(one.high &+ (two.low ^ 0x9E37_79B9_7F4A_7C15))
        return StateHash(high: high, low: mix(one.low ^ two.high &* 0xD1B5_4A32_D192_ED03 &+ high))
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let first = (value ^ (value >> 32)) &* 0xBF58_476D_1CE4_E5B9
        return first ^ (first >> 29)
    }
}

extension StateHash {
    /// The hash of a byte string. It runs at memory speed. (Unlike the hash of the same bytes as file content.)
    package init(of bytes: [UInt8]) { self = bytes.withUnsafeBytes { StateHash(of: $0) } }

    /// The hash of a byte string. It runs at memory speed. (Unlike the hash of the same bytes as file content.)
    package init(of bytes: UnsafeRawBufferPointer) {
        // Two interleaved hashes, so that the processor computes them in parallel.
        var hash = StateHash(high: 0x9E37_79B9_7F4A_7C15, low: 0xD1B5_4A32_D192_ED03)
        var other = StateHash(high: 0xBF58_476D_1CE4_E5B9, low: 0x94D0_49BB_1331_11EB)
        var position = 0
        while bytes.count - position >= 64 {
            hash.fold(bytes, at: position)
            other.fold(bytes, at: position + 32)
            position += 64
        }
        if position < bytes.count {
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { rest in
                rest.initializeMemory(as: UInt8.self, repeating: 0)
                rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position...]))
                hash.fold(UnsafeRawBufferPointer(rest), at: 0)
                other.fold(UnsafeRawBufferPointer(rest), at: 32)
            }
        }
        hash = .mixed(hash, other)
        self = .mixed(hash, StateHash(0, UInt64(bytes.count)))
    }

    /// Adds 32 bytes: two 128-bit products for each half, in different orders.
    @inline(__always)
    private mutating func fold(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 8 * index, as: UInt64.self))
        }
        let (one, two, three, four) = (word(0), word(1), word(2), word(3))
        high = StateHash.folded(StateHash.folded(high, one, two), three, four)
        low = StateHash.folded(StateHash.folded(low, four, one), two, three)
    }

    @inline(__always)
    private static func folded(_ half: UInt64, _ one: UInt64, _ two: UInt64) -> UInt64 {
        let product = (half ^ one).multipliedFullWidth(by: two ^ 0xBF58_476D_1CE4_E5B9)
        // The last term keeps the other factor if one factor is zero.
        return product.high ^ product.low ^ (half << 23 | half >> 41) &+ one &+ two
    }
}
