/// A text is not valid base64.
public enum Base64Error: Error, Hashable, Sendable {
    /// A byte outside the alphabet, or misplaced padding.
    case invalidCharacter(UInt8, offset: Int)
    /// The length is not a multiple of four: the text is truncated or lacks padding.
    case invalidLength(Int)
    /// The unused bits before the padding are not zero: a second encoding of the same bytes, which no encoder writes.
    case strayBits(offset: Int)

    /// The offset of the error in the text.
    public var offset: Int {
        switch self {
        case .invalidCharacter(_, let offset), .strayBits(let offset): offset
        case .invalidLength(let length): length
        }
    }
}

extension Base64Error: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidCharacter(let byte, let offset): "byte \(ByteString([byte])) at offset \(offset) is not base64"
        case .invalidLength(let length): "\(length) characters are not a multiple of 4: truncated, or without padding"
        case .strayBits(let offset): "stray bits before the padding at offset \(offset)"
        }
    }
}

/// Base64 with the standard alphabet and mandatory padding (RFC 4648, section 4).
///
/// Decoding is strict: every byte string has exactly one encoding, so texts are equal exactly if their bytes are. White
/// space, missing padding and stray bits are errors with an offset. Pure; thread safe.
public enum Base64 {
    /// Encodes `bytes` as ASCII.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        append(bytes, to: &text)
        return text
    }

    /// Encodes `bytes` as a `String`.
    public static func text(_ bytes: [UInt8]) -> String { String(decoding: encode(bytes), as: UTF8.self) }

    /// Encodes `bytes` and appends the result to `text`.
    public static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        let start = text.count
        // Grow once, then fill: appending byte by byte took half the time of printing a store.
        text.append(contentsOf: repeatElement(padding, count: (bytes.count + 2) / 3 * 4))
        text.withUnsafeMutableBufferPointer { text in
            bytes.withUnsafeBufferPointer { bytes in
                encode(bytes, into: UnsafeMutableBufferPointer(rebasing: text[start...]))
            }
        }
    }

    /// Encodes into `text`, which has the right size and is filled with padding.
    private static func encode(_ bytes: UnsafeBufferPointer<UInt8>, into text: UnsafeMutableBufferPointer<UInt8>) {
        alphabet.withUTF8Buffer { alphabet in
            func put(_ group: UInt32, _ shift: UInt32, at offset: Int) {
                text[offset] = alphabet[Int(group >> shift & 63)]
            }
            var input = 0
            var output = 0
            while input + 3 <= bytes.count {
                let group = UInt32(bytes[input]) << 16 | UInt32(bytes[input + 1]) << 8 | UInt32(bytes[input + 2])
                put(group, 18, at: output)
                put(group, 12, at: output + 1)
                put(group, 6, at: output + 2)
                put(group, 0, at: output + 3)
                input += 3
                output += 4
            }
            guard input < bytes.count else { return }
            let hasSecond = input + 1 < bytes.count
            let group = UInt32(bytes[input]) << 16 | (hasSecond ? UInt32(bytes[input + 1]) << 8 : 0)
            put(group, 18, at: output)
            put(group, 12, at: output + 1)
            if hasSecond { put(group, 6, at: output + 2) }
        }
    }

    /// Decodes `text`.
    public static func decode(_ text: [UInt8]) throws(Base64Error) -> [UInt8] { try decode(text.span) }

    /// Decodes `text`.
    public static func decode(_ text: Span<UInt8>) throws(Base64Error) -> [UInt8] {
        guard text.count & 3 == 0 else { throw firstInvalid(text) ?? .invalidLength(text.count) }
        guard text.count > 0 else { return [] }
        let padded = text[text.count - 1] != padding ? 0 : text[text.count - 2] != padding ? 1 : 2
        // Decode all complete groups without branches; the combined high bits of the sextets tell whether all were
        // valid.
        let whole = text.count - (padded == 0 ? 0 : 4)
        var valid = true
        // Zeroing first is faster than Array(unsafeUninitializedCapacity:), which looks up its metadata on each call.
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 - padded)
        bytes.withUnsafeMutableBufferPointer { buffer in
            valid = decodeGroups(text, upTo: whole, into: buffer)
            if padded > 0 { valid = decodeLast(text, at: whole, padded: padded, into: buffer) && valid }
        }
        guard valid else { throw firstInvalid(text) ?? .strayBits(offset: text.count - padded - 1) }
        return bytes
    }

    private static let padding = UInt8(ascii: "=")

    /// False if a character is not in the alphabet.
    @inline(__always)
    private static func decodeGroups(
        _ text: borrowing Span<UInt8>, upTo end: Int, into buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        var seen: UInt8 = 0
        var input = 0
        var output = 0
        values.span.withUnsafeBufferPointer { values in
            while input < end {
                let a = values[Int(text[unchecked: input])]
                let b = values[Int(text[unchecked: input + 1])]
                let c = values[Int(text[unchecked: input + 2])]
                let d = values[Int(text[unchecked: input + 3])]
                seen |= a | b | c | d
                buffer[output] = a << 2 | b >> 4
                buffer[output + 1] = b << 4 | c >> 2
                buffer[output + 2] = c << 6 | d
                input += 4
                output += 3
            }
        }
        return seen < 64
    }

    /// Decodes the last group, with `padded` padding characters. False for an invalid character or stray bits.
    private static func decodeLast(
        _ text: borrowing Span<UInt8>, at start: Int, padded: Int, into buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        let a = value(of: text[start])
        let b = value(of: text[start + 1])
        let c = padded == 2 ? 0 : value(of: text[start + 2])
        let output = start / 4 * 3
        buffer[output] = a << 2 | b >> 4
        if padded == 1 { buffer[output + 1] = b << 4 | c >> 2 }
        return a | b | c < 64 && (padded == 2 ? b & 15 : c & 3) == 0
    }

    private static func firstInvalid(_ text: borrowing Span<UInt8>) -> Base64Error? {
        for offset in text.indices {
            let mayPad = text.count & 3 == 0 && offset >= text.count - 2 && text[text.count - 1] == padding
            if value(of: text[offset]) < 64 || (mayPad && text[offset] == padding) { continue }
            return .invalidCharacter(text[offset], offset: offset)
        }
        return nil
    }

    private static func value(of character: UInt8) -> UInt8 { values[Int(character)] }

    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// The value of each character; 255 for those outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        alphabet.withUTF8Buffer { alphabet in
            for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        }
        return values
    }()
}
