import CPlatform

/// CRC32C: the Castagnoli polynomial, reflected, initial value and final xor of all ones (RFC 3720, appendix B.4).
/// The check value of "123456789" is 0xE3069283.
public enum CRC32C {
    /// The checksum of `bytes`, or of `bytes` following the data whose checksum is `crc`.
    public static func checksum(_ bytes: UnsafeRawBufferPointer, extending crc: UInt32 = 0) -> UInt32 {
        faultline_crc32c(crc, bytes.baseAddress, bytes.count)
    }

    public static func checksum(_ bytes: [UInt8], extending crc: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, extending: crc) }
    }

    /// The checksum of A followed by B, from the two checksums. B has `secondCount` bytes.
    public static func joined(_ first: UInt32, _ second: UInt32, secondCount: Int) -> UInt32 {
        var moved = first
        var count = secondCount
        for power in powers where count > 0 {
            if count & 1 == 1 { moved = product(moved, power) }
            count >>= 1
        }
        return moved ^ second
    }

    /// x to the power of 8, 16, 32, …: multiplying by one shifts a checksum by so many bits.
    private static let powers: [UInt32] = {
        var powers: [UInt32] = [1 << 23]
        while powers.count < Int.bitWidth { powers.append(product(powers.last!, powers.last!)) }
        return powers
    }()

    /// The product of two polynomials modulo the CRC polynomial. Reflected: the lowest bit is the highest power.
    private static func product(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var (product, shifted): (UInt32, UInt32) = (0, right)
        for bit in (0..<32).reversed() {
            if left >> UInt32(bit) & 1 == 1 { product ^= shifted }
            shifted = shifted >> 1 ^ (0x82F6_3B78 & (0 &- (shifted & 1)))
        }
        return product
    }
}
