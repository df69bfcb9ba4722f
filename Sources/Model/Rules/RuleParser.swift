import Bytes

/// Parses a rule: the operation, its conditions, and (in RuleParser+Faults) the fault.
struct RuleParser {
    var words: RuleWords
    private var path: Glob?
    private var process: ProcessCondition?
    private var between: ClosedRange<UInt64>?
    private var afterSyncs: AtLeastOne?
    var data = DataConditions()
    var selection = Selection.all
    /// The word with the selection, for the error message if the fault does not allow one.
    var selectionWord: RuleWords.Word?
    private var seen: Set<String> = []

    init(_ words: RuleWords) { self.words = words }

    mutating func rule() throws(RuleError) -> Rule {
        let operations = "read, write, fsync, fdatasync, fsyncdir, any or another operation"
        let word = words.next()
        guard let word, let operation = Operation(word.text) else {
            throw words.error(word, expected: "an operation: \(operations)")
        }
        while !words.take("->") {
            guard let condition = words.next() else {
                throw words.error(nil, expected: "a condition (\(Self.conditionNames(operation))) or '->' and a fault")
            }
            try take(condition, operation)
        }
        let action = try self.action(operation)
        if let extra = words.first { throw words.error(extra, expected: "nothing after the fault") }
        return Rule(action, path: path, process: process, between: between, afterSyncs: afterSyncs)
    }

    /// The first word of a rule.
    enum Operation {
        case read, write, directorySync, any
        case sync(Injection.SyncKind)
        case other(Injection.OtherKind)

        init?(_ text: String) {
            switch text {
            case "read": self = .read
            case "write": self = .write
            case "fsyncdir": self = .directorySync
            case "any": self = .any
            default:
                if let kind = Injection.SyncKind(rawValue: text) {
                    self = .sync(kind)
                } else if let kind = Injection.OtherKind(rawValue: text) {
                    self = .other(kind)
                } else {
                    return nil
                }
            }
        }

        var hasData: Bool {
            switch self {
            case .read, .write: true
            default: false
            }
        }
    }

    private static func conditionNames(_ operation: Operation) -> String {
        "path=, process=, between=, " + (operation.hasData ? "offset=, size=, after=, " : "")
            + "after-fsync=, nth=, every=, p="
    }

    private mutating func take(_ word: RuleWords.Word, _ operation: Operation) throws(RuleError) {
        guard let equals = word.bytes.bytes.firstIndex(of: UInt8(ascii: "=")) else {
            throw words.error(word, expected: "a condition (\(Self.conditionNames(operation))) or '->'")
        }
        let name = String(decoding: word.bytes.bytes[..<equals], as: UTF8.self)
        let value = word.dropFirst(equals + 1)
        guard seen.insert(name).inserted else { throw words.error(word, expected: "\(name)= once") }
        switch name {
        case "path": path = try glob(value)
        case "process":
            let id = Int32(value.text).flatMap { $0 >= 0 && value.text.utf8.first != UInt8(ascii: "+") ? $0 : nil }
            if let id { process = .id(id) } else { process = .name(try glob(value)) }
        case "between": between = try range(value, of: "operation ids, such as 40..60", Self.number)
        case "after-fsync": afterSyncs = try atLeastOne(value)
        case "nth", "every", "p": try select(name, word, value)
        case "offset", "size", "after":
            guard operation.hasData else {
                throw words.error(word, expected: "\(name)= only with read or write, which have bytes")
            }
            try setDataCondition(name, value)
        default: throw words.error(word, expected: "a condition (\(Self.conditionNames(operation))) or '->'")
        }
    }

    private mutating func select(
        _ name: String, _ word: RuleWords.Word, _ value: RuleWords.Word
    ) throws(RuleError) {
        if selectionWord != nil { throw words.error(word, expected: "one of nth=, every= and p=, not two") }
        selectionWord = word
        switch name {
        case "nth": selection = .nth(try atLeastOne(value))
        case "every": selection = .every(try atLeastOne(value))
        default:
            let parts = value.text.split(separator: "/", omittingEmptySubsequences: false).map { Self.number($0) }
            guard parts.count == 2, let part = parts[0], let whole = parts[1], let ratio = Ratio(part, in: whole) else {
                throw words.error(value, expected: "a ratio above 0 and at most 1, such as 1/50")
            }
            selection = .chance(ratio)
        }
    }

    private mutating func setDataCondition(_ name: String, _ value: RuleWords.Word) throws(RuleError) {
        let bytes: (Substring) -> UInt64? = { Quantity.parse($0, Quantity.bytes) }
        switch name {
        case "after": data.afterBytes = try self.bytes(value)
        case "size": data.sizesBytes = try range(value, of: "sizes in bytes, such as 1..4KiB", bytes)
        default:
            let expected = "offsets in bytes, such as 0..4KiB (which is the first page)"
            let range = try range(value, of: expected, bytes)
            guard range.upperBound != .max, value.text.contains("..") else {
                data.offsetsBytes = range
                return
            }
            // The end is excluded.
            guard range.lowerBound < range.upperBound else { throw words.error(value, expected: expected) }
            data.offsetsBytes = range.lowerBound...range.upperBound - 1
        }
    }

    // MARK: - Values

    private func glob(_ value: RuleWords.Word) throws(RuleError) -> Glob {
        do throws(GlobError) {
            return try Glob(parsing: value.bytes)
        } catch {
            throw words.error(value.dropFirst(error.offsetBytes), expected: error.expected)
        }
    }

    static func number(_ text: Substring) -> UInt64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
    }

    private func atLeastOne(_ value: RuleWords.Word) throws(RuleError) -> AtLeastOne {
        guard let number = Self.number(value.text[...]).flatMap(AtLeastOne.init) else {
            throw words.error(value, expected: "a number from 1 up")
        }
        return number
    }

    func bytes(_ value: RuleWords.Word?) throws(RuleError) -> UInt64 {
        guard let value, let bytes = Quantity.parse(value.text, Quantity.bytes) else {
            throw words.error(value, expected: "a number of bytes, such as 100, 4KiB or 10MiB")
        }
        return bytes
    }

    /// `A`, `A..B` or `A..`, with A ≤ B.
    private func range(
        _ value: RuleWords.Word, of expected: String, _ number: (Substring) -> UInt64?
    ) throws(RuleError) -> ClosedRange<UInt64> {
        guard let ends = Self.ends(value.text) else {
            guard let only = number(value.text[...]) else { throw words.error(value, expected: expected) }
            return only...only
        }
        guard let low = number(ends.0), let high = ends.1.isEmpty ? .max : number(ends.1), low <= high else {
            throw words.error(value, expected: expected)
        }
        return low...high
    }

    /// The text before and after the first `..`.
    static func ends(_ text: String) -> (Substring, Substring)? {
        guard let dots = text.firstRange(of: "..") else { return nil }
        return (text[..<dots.lowerBound], text[dots.upperBound...])
    }
}
