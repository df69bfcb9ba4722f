import Bytes
import Yams

/// A value of a strictly read YAML file: each accessor states the expected type, and a mismatch is an error with file
/// and line. Scalars are plain text: `no`, `1.10` and `~` have no special meaning.
///
/// Hostile files are rejected before parsing: larger than `limitBytes`, nested deeper than `depthLimit`, with anchors
/// or aliases (which multiply), or not UTF-8.
package struct YAMLValue {
    package static let limitBytes = 256 << 10
    private static let depthLimit = 32

    package let file: ByteString
    private let node: Node

    /// Parses a file with this content. `file` is its name in errors.
    package init(_ bytes: [UInt8], file: ByteString) throws(YAMLError) {
        guard bytes.count <= YAMLValue.limitBytes else {
            throw YAMLError(file: file, line: nil, "larger than \(YAMLValue.limitBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLError(file: file, line: nil, "not UTF-8 text")
        }
        try YAMLValue.requireShallow(text, file)
        try YAMLValue.requireNoAnchors(text, file)
        let root: Node?
        do {
            root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch {
            throw YAMLValue.withPlace(error, file)
        }
        guard let root else { throw YAMLError(file: file, line: nil, "empty") }
        self.init(root, file)
    }

    private init(_ node: Node, _ file: ByteString) {
        self.node = node
        self.file = file
    }

    package var line: Int? { node.mark?.line }

    package func error(_ reason: String) -> YAMLError { YAMLError(file: file, line: line, reason) }

    /// A scalar, verbatim.
    package func text(_ field: String) throws(YAMLError) -> String {
        guard case .scalar(let scalar) = node, !isNull else { throw error("\(field) must be a text, not \(kind)") }
        guard !scalar.string.unicodeScalars.contains("\0") else { throw error("\(field) contains a zero byte") }
        return scalar.string
    }

    package func flag(_ field: String) throws(YAMLError) -> Bool {
        switch try text(field) {
        case "true": return true
        case "false": return false
        case let other: throw error("\(field) must be true or false, not \(other)")
        }
    }

    package func integer(_ field: String, in range: ClosedRange<Int>) throws(YAMLError) -> Int {
        let text = try text(field)
        guard let number = Int(text), range.contains(number) else {
            throw error("\(field) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return number
    }

    package func list(_ field: String) throws(YAMLError) -> [YAMLValue] {
        guard case .sequence(let sequence) = node else { throw error("\(field) must be a list, not \(kind)") }
        var values: [YAMLValue] = []
        for node in sequence { values.append(YAMLValue(node, file)) }
        return values
    }

    /// A list, or a single value as a list of one.
    package func oneOrMore(_ field: String) throws(YAMLError) -> [YAMLValue] {
        if case .sequence = node { return try list(field) }
        return [self]
    }

    /// Keys and values in file order. Keys must be unique texts.
    package func pairs(_ field: String) throws(YAMLError) -> [(key: String, value: YAMLValue)] {
        guard case .mapping(let mapping) = node else {
            throw error("\(field) must be a mapping (key: value), not \(kind)")
        }
        var pairs: [(key: String, value: YAMLValue)] = []
        for (key, value) in mapping {
            let key = YAMLValue(key, file)
            let name = try key.text("a key")
            guard !pairs.contains(where: { $0.key == name }) else { throw key.error("\(name) appears twice") }
            pairs.append((name, YAMLValue(value, file)))
        }
        return pairs
    }

    /// A mapping that has only keys of `known`.
    package func mapping(_ field: String, known: [String]) throws(YAMLError) -> [String: YAMLValue] {
        guard case .mapping(let mapping) = node else {
            throw error("\(field) must be a mapping (key: value), not \(kind)")
        }
        for (key, _) in mapping {
            let key = YAMLValue(key, file)
            let name = try key.text("a key")
            guard !known.contains(name) else { continue }
            let nearest = Spelling.nearest(to: name, in: known).map { "; did you mean \($0)?" } ?? ""
            throw key.error("\(field) has no key \(name)\(nearest) (keys: \(known.joined(separator: ", ")))")
        }
        return Dictionary(uniqueKeysWithValues: try pairs(field).map { ($0.key, $0.value) })
    }

    private var isNull: Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    private var kind: String {
        switch node {
        case .scalar: isNull ? "nothing" : "a text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }

    /// Throws for deep nesting: the parser recurses per level and would overflow the stack.
    private static func requireShallow(_ text: String, _ file: ByteString) throws(YAMLError) {
        var open = 0
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var (indent, marks) = (0, 0)
            var isLeading = true
            for byte in line.utf8 {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): open -= 1
                default: break
                }
                isLeading = isLeading && [UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), 9].contains(byte)
                if isLeading { indent += 1 }
                if isLeading, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "?") { marks += 1 }
            }
            guard open <= depthLimit, marks <= depthLimit, indent <= 8 * depthLimit else {
                throw YAMLError(file: file, line: index + 1, "nested too deep")
            }
        }
    }

    /// Throws for anchors and aliases: a few lines of nested aliases expand to more than memory can hold.
    private static func requireNoAnchors(_ text: String, _ file: ByteString) throws(YAMLError) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var quote: Character?
            var before: Character = " "
            for character in line {
                if quote == nil, " ,[{".contains(before), "&*".contains(character) {
                    throw YAMLError(
                        file: file, line: index + 1,
                        "anchors and aliases are not allowed; a text that starts with \(character) needs quotes")
                }
                if quote == nil, before == " ", character == "#" { break }
                if quote == nil, " ,[{".contains(before), "\"'".contains(character) {
                    quote = character
                } else if character == quote {
                    quote = nil
                }
                before = character
            }
        }
    }

    private static func withPlace(_ error: any Error, _ file: ByteString) -> YAMLError {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            YAMLError(file: file, line: mark.line, problem)
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            YAMLError(
                file: file, line: context.mark.line,
                "the mapping that starts here has duplicate keys: \(duplicates.joined(separator: ", "))")
        case YamlError.reader(let problem, _, _, _): YAMLError(file: file, line: nil, problem)
        default: YAMLError(file: file, line: nil, "not YAML: \(error)")
        }
    }
}
