import Bytes

import func Glibc.memchr
import func Glibc.memcmp

/// Reads one line of strict JSON: an object of strings, whole numbers and booleans, its fields in any order.
///
/// Strict means: nothing after the object, no field twice, no number but a whole one, no control character in a
/// string. Every escape of JSON is understood (`\/` is how some encoders write the slash of base64). White space
/// between tokens is allowed. Errors carry line and column; one at the end of the line is `.truncated`, which tells
/// a write that was cut from damage of any other kind.
///
/// The memory behind `bytes` is borrowed: a scanner never outlives the call that made it.
struct LineScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let line: Int
    private(set) var position = 0

    /// Where a string's content lies; `escaped` when it has to be unescaped before use.
    struct Token {
        var start: Int
        var end: Int
        var escaped: Bool
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>, line: Int) {
        self.bytes = bytes
        self.line = line
    }

    /// Reads the object that is the whole line; `field` is handed each name, at its value.
    @inline(__always)
    mutating func object(
        _ field: (inout LineScanner, Token) throws(OracleError) -> Void
    ) throws(OracleError) {
        try expect(UInt8(ascii: "{"), "{")
        if !take(UInt8(ascii: "}")) {
            repeat {
                let name = try string("a field's name in quotes")
                try expect(UInt8(ascii: ":"), "':'")
                try field(&self, name)
            } while take(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"), "',' or '}'")
        }
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end of the line") }
    }

    /// A string, its quotes taken off. Its content is checked by whoever decodes, compares or unescapes it.
    @inline(__always)
    mutating func string(_ expected: StaticString) throws(OracleError) -> Token {
        try expect(UInt8(ascii: "\""), expected)
        let start = position
        guard let end = find(UInt8(ascii: "\""), from: start, to: bytes.count) else {
            position = bytes.count
            throw unexpected("the string's closing quote")
        }
        position = end + 1
        guard find(UInt8(ascii: "\\"), from: start, to: end) == nil else { return try escapedString(from: start) }
        return Token(start: start, end: end, escaped: false)
    }

    /// A string in which the first quote may not be the last.
    private mutating func escapedString(from start: Int) throws(OracleError) -> Token {
        position = start
        while position < bytes.count {
            let byte = bytes[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return Token(start: start, end: position - 1, escaped: true) }
        }
        position = bytes.count
        throw unexpected("the string's closing quote")
    }

    @inline(__always)
    private func find(_ byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), end - start) else {
            return nil
        }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// A whole number without sign, fraction, exponent or leading zeros.
    mutating func number(_ expected: StaticString) throws(OracleError) -> UInt64 {
        skipSpace()
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            let (shifted, tooBig) = value.multipliedReportingOverflow(by: 10)
            let (sum, over) = shifted.addingReportingOverflow(UInt64(digit))
            guard !tooBig && !over else { throw unexpected("a number below 2^64") }
            value = sum
            position += 1
        }
        guard position > start else { throw unexpected(expected) }
        guard bytes[start] != UInt8(ascii: "0") || position == start + 1 else {
            position = start
            throw unexpected("a number without leading zeros")
        }
        return value
    }

    mutating func literalTrue() throws(OracleError) {
        skipSpace()
        for byte in "true".utf8 {
            guard position < bytes.count, bytes[position] == byte else { throw unexpected("true") }
            position += 1
        }
    }

    /// The bytes that a string of base64 stands for.
    mutating func base64() throws(OracleError) -> [UInt8] {
        let token = try string("a string of base64")
        let unescaped = token.escaped ? try unescape(token) : nil
        do throws(Base64Error) {
            if let unescaped { return try Base64.decode(unescaped) }
            return try Base64.decode(UnsafeBufferPointer(rebasing: bytes[token.start..<token.end]).span)
        } catch {
            let column = token.start + 1 + (token.escaped ? 0 : error.offset)
            throw .syntax(line: line, column: column, expected: "base64", found: "\(error)")
        }
    }

    @inline(__always)
    func matches(_ token: Token, _ name: StaticString) -> Bool {
        if token.escaped { return (try? unescape(token)) == name.withUTF8Buffer { Array($0) } }
        let count = name.utf8CodeUnitCount
        return token.end - token.start == count && memcmp(bytes.baseAddress! + token.start, name.utf8Start, count) == 0
    }

    /// What an error says instead of `expected`: at the place reached so far, or at `token`.
    func unexpected(_ expected: StaticString, at token: Token? = nil) -> OracleError {
        if let token {
            return .syntax(
                line: line, column: token.start + 1, expected: "\(expected)",
                found: "\"\(ByteString(bytes[token.start..<min(token.end, token.start + 40)]))\"")
        }
        guard position < bytes.count else {
            return .truncated(line: line, column: position + 1, expected: "\(expected)")
        }
        return .syntax(
            line: line, column: position + 1, expected: "\(expected)", found: "'\(ByteString([bytes[position]]))'")
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
            default: return
            }
        }
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    @inline(__always)
    private mutating func expect(_ byte: UInt8, _ expected: StaticString) throws(OracleError) {
        guard take(byte) else { throw unexpected(expected) }
    }
}
