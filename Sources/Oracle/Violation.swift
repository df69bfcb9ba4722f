import Bytes

/// An expected or observed value of a key, with its oracle line.
public struct KeyState: Hashable, Sendable {
    /// nil for an absent key.
    public var payload: [UInt8]?
    /// The line of its acknowledgement, or of its begin line if it has none; nil when there is neither.
    public var line: Int?

    public init(payload: [UInt8]?, line: Int? = nil) {
        self.payload = payload
        self.line = line
    }
}

extension KeyState: CustomStringConvertible {
    public var description: String {
        let lineText = line.map { " (line \($0))" } ?? ""
        guard let payload else { return "no key" + lineText }
        let start = ByteString(payload.prefix(Self.shownBytes))
        return "\(payload.count.counted("byte")) \"\(start)\(payload.count > Self.shownBytes ? "…" : "")\"" + lineText
    }

    /// Only the first bytes of a value are printed: values with a common prefix look the same.
    package static let shownBytes = 16
}

/// A violated check.
public struct Violation: Hashable, Sendable {
    public var check: Check
    /// The affected key; nil when it concerns the whole store.
    public var key: ByteString?
    /// The legal values of the key.
    public var expected: [KeyState]
    /// The observed value; nil when it concerns the whole store.
    public var found: KeyState?
    /// The oracle line whose guarantee is violated; nil when there is no single line.
    public var line: Int?
    /// Other relevant oracle lines: for a hole, those on its other side.
    public var otherLines: [Int]
    /// Details that no other field has.
    public var detail: String
    /// The check of the store that the state breaks, if `check` is `filesystem` because the device below the filesystem
    /// had failed before (`Judgement.blamedOnFilesystem`); nil otherwise.
    public var storeCheck: Check?

    public init(
        check: Check, key: ByteString? = nil, expected: [KeyState] = [], found: KeyState? = nil, line: Int? = nil,
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
    /// The first few legal values, and the number of others.
    package var expectedText: String {
        let shown = expected.prefix(4).map(\.description)
        let others = expected.count - shown.count
        return (shown + (others > 0 ? ["one of \(others) others"] : [])).joined(separator: " or ")
    }
}

extension Violation: CustomStringConvertible {
    /// `durable: key k17: expected 8 bytes "…" (line 40), found no key`
    public var description: String {
        var text = check.rawValue + ":"
        if let storeCheck { text += " after a fault of the device: \(storeCheck.rawValue):" }
        if let key { text += " key \(key):" }
        if !expected.isEmpty { text += " expected \(expectedText)," }
        if let found { text += " found \(found)" }
        if !detail.isEmpty { text += (found == nil ? " " : "; ") + detail }
        return text
    }
}
