import Bytes

import func Glibc.memchr
import func Glibc.memcmp

/// Parses a line of strict JSON: an object with strings, whole numbers and booleans, with fields in any order.
///
/// Strict means: nothing after the object, no field twice, only whole numbers, no bare control characters in strings.
/// All JSON escapes are decoded (some encoders write the slash of base64 as `\/`). White space between tokens is
/// allowed. Errors have line and column. An error at the end of the line is `.truncated`, which distinguishes a torn
/// write from other damage.
///
/// `bytes` is borrowed: a scanner must not outlive the call that created it.
struct LineScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let line: Int
    private(set) var position = 0

    /// The range of a string's content; `escaped` if it must be unescaped before use.
    struct Token {
        var start: Int
        var end: Int
        var escaped: Bool
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>, line: Int) {
        self.bytes = bytes
        self.line = line
    }

    /// Parses the object, which must be the whole line. Calls `field` with each name, positioned at its value.
    @inline(__always)
    mutating func object(
        _ field: (inout LineScanner, Token) throws(OracleError) -> Void
    ) throws(OracleError) {
        try expect(UInt8(ascii: "{"), "{")
        if !skip(UInt8(ascii: "}")) {
            repeat {
                let name = try string("a field's name in quotes")
                try expect(UInt8(ascii: ":"), "':'")
                try field(&self, name)
            } while skip(UInt8(ascii: ","))
            try expect(UInt8(ascii: "}"), "',' or '}'")
        }
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end of the line") }
    }

    /// Scans a string and returns its content without quotes. Does not check the content.
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

    /// Scans a string that may contain escaped quotes.
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

    /// Scans a whole number without sign, fraction, exponent or leading zeros.
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

    /// Scans and decodes a base64 string.
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

    /// The error for finding something other than `expected`, at the current position or at `token`.
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
    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    @inline(__always)
    private mutating func expect(_ byte: UInt8, _ expected: StaticString) throws(OracleError) {
        guard skip(byte) else { throw unexpected(expected) }
    }
}
