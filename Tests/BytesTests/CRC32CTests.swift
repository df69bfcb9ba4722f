import Bytes
import Testing

@Test func crc32cHasItsPublishedCheckValue() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
}
