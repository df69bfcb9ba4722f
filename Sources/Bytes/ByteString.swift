import func Glibc.memcmp

/// A string of bytes: a file name, a key, a path glob.
///
/// Linux names are bytes, not text. Swift's `String` treats NFC and NFD as equal and repairs invalid UTF-8, so it could
/// confuse two files. Equality, order and hash of this type are bytewise.
public struct ByteString: Hashable, Sendable {
    public var bytes: [UInt8]

    @inlinable
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// Shares the array's storage.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The UTF-8 of `text`.
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    public var count: Int { bytes.count }
    public var isEmpty: Bool { bytes.isEmpty }
}

extension ByteString {
    public static func == (left: ByteString, right: ByteString) -> Bool { left.bytes.isSame(as: right.bytes) }

    public func hash(into hasher: inout Hasher) {
        // Hash all bytes at once, not element by element. The count separates adjacent values.
        hasher.combine(bytes.count)
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension ByteString: Comparable {
    /// Bytewise order; a prefix comes first.
    public static func < (left: ByteString, right: ByteString) -> Bool {
        let order = left.bytes.withUnsafeBytes { left in
            right.bytes.withUnsafeBytes { right in
                left.isEmpty || right.isEmpty
                    ? 0 : memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count))
            }
        }
        return order == 0 ? left.count < right.count : order < 0
    }
}

extension [UInt8] {
    /// `==` with memcmp(3): the standard library compares arrays element by element.
    public func isSame(as other: [UInt8]) -> Bool {
        withUnsafeBytes { bytes in other.withUnsafeBytes { bytes.isSame(as: $0) } }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both have the same bytes, with memcmp(3).
    @inlinable
    package func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let base = baseAddress, let otherBase = other.baseAddress, base != otherBase else { return true }
        return memcmp(base, otherBase, count) == 0
    }
}

extension ByteString: ExpressibleByStringLiteral {
    public init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }
}

extension ByteString: CustomStringConvertible {
    /// Readable and lossless: printable ASCII unchanged, `\\` for a backslash, `\xNN` for every other byte.
    public var description: String {
        var text = ""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = Array("0123456789abcdef".unicodeScalars)
                text += "\\x"
                text.unicodeScalars.append(digits[Int(byte >> 4)])
                text.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return text
    }
}
