import Bytes

/// A line in the output of a recover command.
///
///     {"key":"…","payload":"…"}     a live key; base64
///     {"check":"ok"}                the store's own checker finds nothing wrong; any other text is its complaint
///     {"end":true}                  the dump is complete
///     {"error":"…"}                 the store does not open, with the reason
public enum DumpLine: Hashable, Sendable {
    case entry(key: ByteString, payload: [UInt8])
    case check(Observation.OwnCheck)
    case end
    case error(String)

    /// Appends the line and its newline to `text`.
    public func append(to text: inout [UInt8]) {
        switch self {
        case .entry(let key, let payload):
            text.append(contentsOf: #"{"key":""#.utf8)
            Base64.append(key.bytes, to: &text)
            text.append(contentsOf: #"","payload":""#.utf8)
            Base64.append(payload, to: &text)
            text.append(contentsOf: "\"}\n".utf8)
        case .check(let answer):
            text.append(contentsOf: #"{"check":""#.utf8)
            switch answer {
            case .passed: text.append(contentsOf: Self.passed.utf8)
            case .complaint(let complaint): Self.append(escaped: complaint, to: &text)
            }
            text.append(contentsOf: "\"}\n".utf8)
        case .end:
            text.append(contentsOf: "{\"end\":true}\n".utf8)
        case .error(let reason):
            text.append(contentsOf: #"{"error":""#.utf8)
            Self.append(escaped: reason, to: &text)
            text.append(contentsOf: "\"}\n".utf8)
        }
    }

    private static let passed = "ok"

    /// The line with its newline.
    public var encoded: [UInt8] {
        var text: [UInt8] = []
        append(to: &text)
        return text
    }

    private static func append(escaped string: String, to text: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): text += Array(#"\n"#.utf8)
            case 0..<0x20: text += Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: text.append(byte)
            }
        }
    }
}

extension DumpLine {
    /// Parses a line without its newline, as strictly as `OracleLine.parse`. `line` is its number, for errors.
    public static func parse(_ text: Span<UInt8>, line: Int) throws(OracleError) -> DumpLine {
        try text.withUnsafeBufferPointer { (bytes) throws(OracleError) in
            var scanner = LineScanner(bytes, line: line)
            var key: [UInt8]?
            var payload: [UInt8]?
            var end = false
            var reason: String?
            var check: String?
            func text(_ scanner: inout LineScanner) throws(OracleError) -> String {
                String(decoding: try scanner.unescape(try scanner.string("a string")), as: UTF8.self)
            }
            try scanner.object { (scanner, name) throws(OracleError) in
                if scanner.matches(name, "key"), key == nil {
                    key = try scanner.value(of: "key") { (scanner) throws(OracleError) in try scanner.base64() }
                } else if scanner.matches(name, "payload"), payload == nil {
                    payload = try scanner.value(of: "payload") { (scanner) throws(OracleError) in
                        try scanner.base64()
                    }
                } else if scanner.matches(name, "end"), !end {
                    try scanner.value(of: "end") { (scanner) throws(OracleError) in try scanner.literalTrue() }
                    end = true
                } else if scanner.matches(name, "error"), reason == nil {
                    reason = try scanner.value(of: "error", text)
                } else if scanner.matches(name, "check"), check == nil {
                    check = try scanner.value(of: "check", text)
                } else {
                    throw scanner.unexpected(
                        "one of the fields key, payload, check, end and error, each at most once", at: name)
                }
            }
            if let check, key == nil, payload == nil, !end, reason == nil {
                return .check(check == passed ? .passed : .complaint(check))
            }
            guard check == nil else { throw .meaning(line: line, reason: "a check beside another field") }
            switch (key, payload, end, reason) {
            case (let key?, let payload?, false, nil): return .entry(key: ByteString(key), payload: payload)
            case (nil, nil, true, nil): return .end
            case (nil, nil, false, let reason?): return .error(reason)
            case (.some, nil, false, nil):
                throw .meaning(line: line, reason: "a key without the field payload")
            case (nil, .some, false, nil):
                throw .meaning(line: line, reason: "a payload without the field key")
            default:
                throw .meaning(line: line, reason: "neither a key with its payload, nor an end, nor an error")
            }
        }
    }
}

extension LineScanner {
    /// Runs `read` and adds the field's name to its errors, since a line may have several values of the same kind.
    @inline(__always)
    fileprivate mutating func value<Value>(
        of field: StaticString, _ read: (inout LineScanner) throws(OracleError) -> Value
    ) throws(OracleError) -> Value {
        do throws(OracleError) { return try read(&self) } catch { throw error.inField(named: field) }
    }
}
