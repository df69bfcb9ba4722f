import Bytes

extension Glob: CustomStringConvertible {
    /// The pattern as text that parses to it: printable ASCII, every other byte as `\xNN`.
    public var description: String {
        var text = ""
        for (index, element) in elements.enumerated() {
            switch element {
            case .byte(let byte):
                // A bare slash is illegal at the beginning, and would change the meaning of a `**` before it.
                let isBareSlashTaken = index == 0 || elements[index - 1] == .anything
                text += Glob.text(of: byte, escaping: isBareSlashTaken ? "*?[]\\/" : "*?[]\\")
            case .anyByte: text += "?"
            case .anyRun: text += "*"
            case .anything: text += "**"
            case .anyDirectories: text += "**/"
            case .oneOf(let bytes): text += bytes.description
            }
        }
        return text
    }

    /// Parses a pattern. The error holds the offset of the wrong byte.
    public init(parsing text: ByteString) throws(GlobError) {
        var parser = GlobParser(text.bytes)
        elements = try parser.elements()
    }

    fileprivate static func text(of byte: UInt8, escaping special: StaticString) -> String {
        let isSpecial = special.withUTF8Buffer { $0.contains(byte) }
        switch byte {
        case 0x21...0x7E: return (isSpecial ? "\\" : "") + String(Unicode.Scalar(byte))
        default: return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}

extension Glob.ByteClass: CustomStringConvertible {
    var description: String {
        let items = ranges.map { range in
            let bounds = range.count == 1 ? [range.lowerBound] : [range.lowerBound, range.upperBound]
            return bounds.map { Glob.text(of: $0, escaping: "[]-!^\\") }.joined(separator: "-")
        }
        return "[" + (isNegated ? "!" : "") + items.joined() + "]"
    }
}

/// Why a pattern is wrong, and at which offset in bytes.
public struct GlobError: Error, Hashable, Sendable {
    public var offsetBytes: Int
    public var expected: String
}

private struct GlobParser {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    private var rest: ArraySlice<UInt8> { text[position...] }

    private mutating func take(_ prefix: StaticString) -> Bool {
        let isNext = prefix.withUTF8Buffer { rest.starts(with: $0) }
        if isNext { position += prefix.utf8CodeUnitCount }
        return isNext
    }

    mutating func elements() throws(GlobError) -> [Glob.Element] {
        var elements: [Glob.Element] = []
        while position < text.count {
            let isComponentStart = elements.last.map { $0 == .byte(UInt8(ascii: "/")) || $0 == .anyDirectories } ?? true
            if elements.isEmpty && rest.first == UInt8(ascii: "/") {
                throw GlobError(
                    offsetBytes: 0, expected: "a path relative to the mount, without a slash at its beginning")
            }
            if isComponentStart, take("**/") {
                elements.append(.anyDirectories)
            } else if take("**") {
                elements.append(.anything)
                if rest.first == UInt8(ascii: "*") {
                    throw GlobError(offsetBytes: position, expected: "at most two stars in a row")
                }
            } else if take("*") {
                elements.append(.anyRun)
            } else if take("?") {
                elements.append(.anyByte)
            } else if take("[") {
                elements.append(.oneOf(try byteClass(beganAt: position - 1)))
            } else {
                elements.append(.byte(try byte()))
            }
        }
        if elements.isEmpty { throw GlobError(offsetBytes: 0, expected: "a path pattern, such as *.wal or **") }
        return elements
    }

    private mutating func byteClass(beganAt start: Int) throws(GlobError) -> Glob.ByteClass {
        var bytes = Glob.ByteClass(isNegated: take("!") || take("^"), ranges: [])
        while position < text.count {
            // A first bracket is literal.
            if !bytes.ranges.isEmpty, take("]") { return bytes }
            let from = position
            let low = try byte()
            guard rest.first == UInt8(ascii: "-"), rest.dropFirst().first.map({ $0 != UInt8(ascii: "]") }) ?? false
            else {
                bytes.ranges.append(low...low)
                continue
            }
            position += 1
            let high = try byte()
            guard low <= high else { throw GlobError(offsetBytes: from, expected: "a range that rises, such as a-z") }
            bytes.ranges.append(low...high)
        }
        throw GlobError(offsetBytes: start, expected: "a ']' that closes this '['")
    }

    private mutating func byte() throws(GlobError) -> UInt8 {
        let start = position
        let byte = text[position]
        position += 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard let escaped = rest.first else {
            throw GlobError(offsetBytes: start, expected: "a byte after the backslash, or \\xNN")
        }
        position += 1
        guard escaped == UInt8(ascii: "x") else { return escaped }
        guard rest.count >= 2, let value = hexadecimal(rest.prefix(2)) else {
            throw GlobError(offsetBytes: start, expected: "two hexadecimal digits after \\x")
        }
        position += 2
        return value
    }

    private func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-") else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
