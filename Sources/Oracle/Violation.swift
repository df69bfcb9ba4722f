import Bytes

/// What a key held, or was to hold, and which line of the oracle says so.
public struct Holding: Hashable, Sendable {
    /// Nil: the key is not there.
    public var payload: [UInt8]?
    /// The acknowledgement (or, of an operation without one, the begin line) behind it; nil when there is none.
    public var line: Int?

    public init(payload: [UInt8]?, line: Int? = nil) {
        self.payload = payload
        self.line = line
    }
}

extension Holding: CustomStringConvertible {
    public var description: String {
        let place = line.map { " (line \($0))" } ?? ""
        guard let payload else { return "no key" + place }
        let start = ByteString(payload.prefix(Self.shownBytes))
        return "\(payload.count.counted("byte")) \"\(start)\(payload.count > Self.shownBytes ? "…" : "")\"" + place
    }

    /// So much of a value is shown: those that begin alike look alike.
    package static let shownBytes = 16
}

/// One broken check.
public struct Violation: Hashable, Sendable {
    public var check: Check
    /// The key that shows it; nil when it is about the store as a whole.
    public var key: ByteString?
    /// What would have been legal for the key.
    public var expected: [Holding]
    /// What was found; nil when it is about the store as a whole.
    public var found: Holding?
    /// The oracle line whose promise is broken; nil when no single line is.
    public var line: Int?
    /// More lines of the oracle that it rests on: of a hole, those on its other side.
    public var otherLines: [Int]
    /// What no other field says, in words.
    public var detail: String

    public init(
        check: Check, key: ByteString? = nil, expected: [Holding] = [], found: Holding? = nil, line: Int? = nil,
        otherLines: [Int] = [], detail: String = ""
    ) {
        self.check = check
        self.key = key
        self.expected = expected
        self.found = found
        self.line = line
        self.otherLines = otherLines
        self.detail = detail
    }
}

extension Violation {
    /// What would have been legal: the first few, and how many more.
    package var expectedText: String {
        let told = expected.prefix(4).map(\.description)
        let others = expected.count - told.count
        return (told + (others > 0 ? ["one of \(others) others"] : [])).joined(separator: " or ")
    }
}

extension Violation: CustomStringConvertible {
    /// `durable: key k17: expected 8 bytes "…" (line 40), found no key`
    public var description: String {
        var text = check.rawValue + ":"
        if let key { text += " key \(key):" }
        if !expected.isEmpty { text += " expected \(expectedText)," }
        if let found { text += " found \(found)" }
        if !detail.isEmpty { text += (found == nil ? " " : "; ") + detail }
        return text
    }
}
