import Bytes
import Testing

struct ByteStringTests {
    @Test func `every byte round-trips through the description`() {
        let all = ByteString(Array(0...255))
        #expect(ByteString(description: all.description) == all)
        #expect(all.description.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test(arguments: ["\\", "\\x", "\\x1", "\\xgg", "\\n", "a\nb", "ä", "\\x+1"])
    func `an invalid description is rejected`(text: String) {
        #expect(ByteString(description: text) == nil)
    }

    @Test func `C strings end at the terminating NUL`() {
        let string = ByteString([UInt8(ascii: "a"), 0xFF])
        #expect(string.withCString { [$0[0], $0[1], $0[2]] } == [97, -1, 0])
    }
}
