extension LineScanner {
    /// Decodes the escapes of a string to UTF-8. A lone surrogate becomes U+FFFD. Throws for bare control characters.
    func unescape(_ token: Token) throws(OracleError) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(token.end - token.start)
        var index = token.start
        while index < token.end {
            guard bytes[index] == UInt8(ascii: "\\") else {
                guard bytes[index] >= 0x20 else {
                    throw .syntax(
                        line: line, column: index + 1, expected: "no bare control character", found: "one")
                }
                text.append(bytes[index])
                index += 1
                continue
            }
            let column = index + 1
            switch bytes[index + 1] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[index + 1])
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                text.append(contentsOf: String(try scalar(in: token, at: &index)).utf8)
                continue
            default:
                throw .syntax(
                    line: line, column: column, expected: "a JSON escape", found: "an unknown one")
            }
            index += 2
        }
        return text
    }

    /// Decodes `\uXXXX`, or a surrogate pair of two, at `index`, and moves `index` past it.
    private func scalar(in token: Token, at index: inout Int) throws(OracleError) -> Character {
        let high = try codeUnit(in: token, at: index)
        index += 6
        if let scalar = Unicode.Scalar(high) { return Character(scalar) }
        guard high < 0xDC00, index + 6 <= token.end, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u"),
            case let low = try codeUnit(in: token, at: index), (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { return "\u{FFFD}" }
        index += 6
        return Character(scalar)
    }

    private func codeUnit(in token: Token, at index: Int) throws(OracleError) -> UInt16 {
        var unit: UInt16 = 0
        for offset in index + 2..<index + 6 {
            guard offset < token.end, let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
                throw .syntax(
                    line: line, column: offset + 1, expected: "four hexadecimal digits", found: "something else")
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
