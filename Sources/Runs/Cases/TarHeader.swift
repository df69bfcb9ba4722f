import Bytes

/// The tar header (POSIX.1-1988, "ustar") of a regular file, the only entry type in a case's archive.
///
/// Written headers identify no machine: no owner, no time. Read headers are untrusted: links, devices, directories and
/// format extensions are rejected, not skipped.
struct TarHeader: Hashable {
    package static let blockBytes = 512

    package var name: ByteString
    package var sizeBytes: Int

    private static let nameBytes = 100
    private static let modes: [(place: Int, text: String)] = [
        (100, "0000600\0"), (108, "0000000\0"), (116, "0000000\0"),
    ]

    /// The encoded block; nil if the name is too long or the file too large.
    package var encoded: [UInt8]? {
        guard name.count <= Self.nameBytes, sizeBytes < 1 << 33 else { return nil }
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        func put(_ bytes: some Collection<UInt8>, at place: Int) {
            block.replaceSubrange(place..<place + bytes.count, with: bytes)
        }
        put(name.bytes, at: 0)
        for (place, text) in Self.modes { put(text.utf8, at: place) }
        put(Self.octal(sizeBytes, digits: 11).utf8, at: 124)
        put(Self.octal(0, digits: 11).utf8, at: 136)
        block[156] = UInt8(ascii: "0")
        put("ustar\u{0}00".utf8, at: 257)
        put((Self.octal(Self.sum(block[...]), digits: 6) + "\0 ").utf8, at: 148)
        return block
    }

    /// Why a block is not a valid header of a regular file.
    package struct FormatError: Error, Hashable {
        package var reason: String
    }

    /// Parses a block that is not all zeros.
    package init(_ block: ArraySlice<UInt8>) throws(FormatError) {
        let start = block.startIndex
        func field(_ place: Int, _ count: Int) -> ArraySlice<UInt8> { block[start + place..<start + place + count] }
        guard let sum = Self.number(field(148, 8)), sum == Self.sum(block) else {
            throw FormatError(reason: "the checksum of the header is wrong")
        }
        guard field(257, 5).elementsEqual("ustar".utf8) else { throw FormatError(reason: "it is no ustar archive") }
        switch block[start + 156] {
        case UInt8(ascii: "0"), 0: break
        case UInt8(ascii: "1"), UInt8(ascii: "2"): throw FormatError(reason: "a link")
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): throw FormatError(reason: "a device or a FIFO")
        case UInt8(ascii: "5"): throw FormatError(reason: "a directory")
        case let type: throw FormatError(reason: "an entry of type \(type)")
        }
        guard field(345, 155).allSatisfy({ $0 == 0 }) else { throw FormatError(reason: "a name with a prefix") }
        guard let size = Self.number(field(124, 12)) else { throw FormatError(reason: "a size that is no number") }
        let name = field(0, Self.nameBytes).prefix { $0 != 0 }
        guard field(0, Self.nameBytes).dropFirst(name.count).allSatisfy({ $0 == 0 }) else {
            throw FormatError(reason: "a name with a NUL in it")
        }
        self.init(name: ByteString(name), sizeBytes: size)
    }

    package init(name: ByteString, sizeBytes: Int) {
        self.name = name
        self.sizeBytes = sizeBytes
    }

    /// The number of padding bytes after the content of a file, up to the next block.
    package static func padding(after sizeBytes: Int) -> Int { (blockBytes - sizeBytes % blockBytes) % blockBytes }

    private static func octal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Parses octal digits followed by NULs or blanks; nil for any other form.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard !digits.isEmpty, field.dropFirst(digits.count).allSatisfy({ $0 == 0 || $0 == UInt8(ascii: " ") }) else {
            return nil
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - UInt8(ascii: "0")) }
    }

    /// The header checksum: the sum of all bytes, with the checksum field counted as blanks.
    private static func sum(_ block: ArraySlice<UInt8>) -> Int {
        let place = block.startIndex + 148..<block.startIndex + 156
        return block.indices.reduce(0) { $0 + (place.contains($1) ? 32 : Int(block[$1])) }
    }
}
