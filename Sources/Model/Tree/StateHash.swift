import Bytes

/// 128 bits that stand for a visible tree, or for a part of one. Parts are combined by XOR, so that a change is two
/// steps; what stands for something larger is mixed first, so that equal changes in two places do not cancel.
///
/// For telling states apart, not against an adversary.
public struct StateHash: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    static let zero = StateHash(high: 0, low: 0)

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// What `value` means in the place `place`.
    @inline(__always)
    init(_ place: UInt64, _ value: UInt64) {
        high = StateHash.mix((place &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ value)
        low = StateHash.mix(high &+ value &* 0xD1B5_4A32_D192_ED03)
    }

    init(_ place: UInt64, _ bytes: [UInt8]) {
        self.init(place, UInt64(bytes.count))
        for byte in bytes { self = .mixed(self, StateHash(2, UInt64(byte))) }
    }

    @inline(__always)
    static func ^ (left: StateHash, right: StateHash) -> StateHash {
        StateHash(high: left.high ^ right.high, low: left.low ^ right.low)
    }

    @inline(__always)
    package static func ^= (left: inout StateHash, right: StateHash) { left = left ^ right }

    /// The two in this order, mixed.
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
    /// A hash of plain bytes: at the speed of memory, and not that of a file that holds them.
    package init(of bytes: [UInt8]) { self = bytes.withUnsafeBytes { StateHash(of: $0) } }

    /// A hash of plain bytes: at the speed of memory, and not that of a file that holds them.
    package init(of bytes: UnsafeRawBufferPointer) {
        // Two hashes of every second block: neither waits for the other.
        var hash = StateHash(high: 0x9E37_79B9_7F4A_7C15, low: 0xD1B5_4A32_D192_ED03)
        var other = StateHash(high: 0xBF58_476D_1CE4_E5B9, low: 0x94D0_49BB_1331_11EB)
        var place = 0
        while bytes.count - place >= 64 {
            hash.fold(bytes, at: place)
            other.fold(bytes, at: place + 32)
            place += 64
        }
        if place < bytes.count {
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { rest in
                rest.initializeMemory(as: UInt8.self, repeating: 0)
                rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[place...]))
                hash.fold(UnsafeRawBufferPointer(rest), at: 0)
                other.fold(UnsafeRawBufferPointer(rest), at: 32)
            }
        }
        hash = .mixed(hash, other)
        self = .mixed(hash, StateHash(0, UInt64(bytes.count)))
    }

    /// Takes in 32 bytes: two products of 128 bits for each half, in another order.
    @inline(__always)
    private mutating func fold(_ bytes: UnsafeRawBufferPointer, at place: Int) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8 * index, as: UInt64.self))
        }
        let (one, two, three, four) = (word(0), word(1), word(2), word(3))
        high = StateHash.folded(StateHash.folded(high, one, two), three, four)
        low = StateHash.folded(StateHash.folded(low, four, one), two, three)
    }

    @inline(__always)
    private static func folded(_ half: UInt64, _ one: UInt64, _ two: UInt64) -> UInt64 {
        let product = (half ^ one).multipliedFullWidth(by: two ^ 0xBF58_476D_1CE4_E5B9)
        // Where one factor is zero, the other is not forgotten.
        return product.high ^ product.low ^ (half << 23 | half >> 41) &+ one &+ two
    }
}
