/// SipHash-1-3 of keys, with a random seed for each store, so that keys cannot be chosen to collide. It is the function of the
/// standard library's `Hasher`, but computed in one call, because recovery hashes a key for each record.
///
/// "SipHash: a fast short-input PRF", J.-P. Aumasson and D. J. Bernstein, 2012.
struct KeyHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    init() { self.init(.random(in: 0 ... .max), .random(in: 0 ... .max)) }

    init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    @inline(__always)
    func callAsFunction(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var state = State(first, second)
        var offset = 0
        while offset + 8 <= key.count {
            state.take(UInt64(littleEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        // The last word: the remaining bytes, and the length in the highest byte.
        var last = UInt64(truncatingIfNeeded: key.count) << 56
        var shift: UInt64 = 0
        while offset < key.count {
            last |= UInt64(key[offset]) << shift
            shift += 8
            offset += 1
        }
        state.take(last)
        return state.end()
    }

    private struct State {
        private var a, b, c, d: UInt64

        @inline(__always)
        init(_ first: UInt64, _ second: UInt64) {
            a = first ^ 0x736F_6D65_7073_6575
            b = second ^ 0x646F_7261_6E64_6F6D
            c = first ^ 0x6C79_6765_6E65_7261
            d = second ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        mutating func take(_ word: UInt64) {
            d ^= word
            round()
            a ^= word
        }

        @inline(__always)
        mutating func end() -> UInt64 {
            c ^= 0xFF
            round()
            round()
            round()
            return a ^ b ^ c ^ d
        }

        @inline(__always)
        private mutating func round() {
            a &+= b
            b = Self.rotated(b, 13) ^ a
            a = Self.rotated(a, 32)
            c &+= d
            d = Self.rotated(d, 16) ^ c
            a &+= d
            d = Self.rotated(d, 21) ^ a
            c &+= b
            b = Self.rotated(b, 17) ^ c
            c = Self.rotated(c, 32)
        }

        @inline(__always)
        private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
    }
}
