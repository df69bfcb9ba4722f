import Bytes
import Testing

@Suite struct Base64Tests {
    /// RFC 4648, section 10, and bytes that need the last two characters of the alphabet.
    static let vectors: [(bytes: [UInt8], text: String)] = [
        ([], ""), (Array("f".utf8), "Zg=="), (Array("fo".utf8), "Zm8="), (Array("foo".utf8), "Zm9v"),
        (Array("foob".utf8), "Zm9vYg=="), (Array("fooba".utf8), "Zm9vYmE="), (Array("foobar".utf8), "Zm9vYmFy"),
        ([0xFB, 0xFF, 0xFE], "+//+"), ([0], "AA=="), ([255], "/w=="),
    ]

    @Test(arguments: vectors) func `published vectors encode and decode`(bytes: [UInt8], text: String) throws {
        #expect(Base64.text(bytes) == text)
        #expect(try Base64.decode(Array(text.utf8)) == bytes)
    }

    @Test func `every length and byte round-trips`() throws {
        var bytes: [UInt8] = []
        for count in 0..<600 {
            #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
            bytes.append(UInt8(truncatingIfNeeded: count &* 167 &+ count >> 3))
        }
    }

    static let refused: [(text: String, error: Base64Error)] = [
        ("Zg=", .invalidCharacter(UInt8(ascii: "="), offset: 2)),
        ("Zg", .invalidLength(2)),
        ("Zm9vYg", .invalidLength(6)),
        ("Z", .invalidLength(1)),
        ("====", .invalidCharacter(UInt8(ascii: "="), offset: 0)),
        ("Zg==Zg==", .invalidCharacter(UInt8(ascii: "="), offset: 2)),
        ("Z===", .invalidCharacter(UInt8(ascii: "="), offset: 1)),
        ("Zg=A", .invalidCharacter(UInt8(ascii: "="), offset: 2)),
        ("Zm9v Zm9", .invalidCharacter(UInt8(ascii: " "), offset: 4)),
        ("Zm9-", .invalidCharacter(UInt8(ascii: "-"), offset: 3)),
        ("Zm9v\n", .invalidCharacter(UInt8(ascii: "\n"), offset: 4)),
        ("Zh==", .strayBits(offset: 1)),
        ("Zm9=", .strayBits(offset: 2)),
    ]

    @Test(arguments: refused) func `invalid text is an error with its offset`(text: String, error: Base64Error) {
        #expect(throws: error) { try Base64.decode(Array(text.utf8)) }
    }
}
