import Bytes
import Testing

@Test func `CRC32C has its published check value`() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
}

/// The values of RFC 3720, appendix B.4: 32 bytes of zeros, of ones, rising and falling.
@Test func `CRC32C has the values of its standard`() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46DD_794E)
    #expect(CRC32C.checksum([UInt8]((0..<32).reversed())) == 0x113F_DB5C)
}

/// The checksum equals a bitwise computation for all lengths and alignments, which take different code paths.
@Test func `CRC32C of any length equals the bitwise one`() {
    var random: UInt64 = 1
    let bytes = (0..<12_000).map { _ -> UInt8 in
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: random >> 56)
    }
    for begin in 0..<8 {
        // The checksum of each prefix.
        var state = ~UInt32(begin)
        bytes.withUnsafeBytes { bytes in
            for count in 0..<bytes.count - begin {
                if count < 1000 || count % 97 == begin {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[begin..<begin + count])
                    #expect(CRC32C.checksum(part, extending: UInt32(begin)) == ~state, "\(count) bytes from \(begin)")
                }
                state ^= UInt32(bytes[begin + count])
                for _ in 0..<8 { state = (state >> 1) ^ (state & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
        }
    }
}

@Test(arguments: [0, 1, 7, 8, 100, 4096, 70_001]) func `CRC32C of two parts equals that of the whole`(_ count: Int) {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    for end in [count, count + 1, 100_000] {
        let (first, second) = (Array(bytes[..<count]), Array(bytes[count..<end]))
        let joined = CRC32C.joined(
            CRC32C.checksum(first), CRC32C.checksum(second), secondCount: second.count)
        #expect(joined == CRC32C.checksum(Array(bytes[..<end])))
        // Extending a checksum.
        #expect(
            CRC32C.checksum(second, extending: 77)
                == CRC32C.joined(77, CRC32C.checksum(second), secondCount: second.count))
    }
}
