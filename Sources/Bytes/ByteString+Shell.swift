extension ByteString {
    /// As one word of a POSIX shell: unchanged if it needs no quotes, else in single quotes. Zero bytes cannot be passed.
    package var shellQuoted: [UInt8] {
        let isPlain = bytes.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "._-/=:,+@%".contains(character))
        }
        if isPlain, !isEmpty { return bytes }
        var text: [UInt8] = [UInt8(ascii: "'")]
        for byte in bytes {
            text += byte == UInt8(ascii: "'") ? Array("'\\''".utf8) : [byte]
        }
        return text + [UInt8(ascii: "'")]
    }
}
