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
}
