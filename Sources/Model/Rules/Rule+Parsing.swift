import Bytes

extension Rule {
    /// Parses one rule.
    public init(parsing line: ByteString) throws(RuleError) {
        self = try Rule.parse(RuleWords(line, lineNumber: 1))
    }

    /// Parses one rule from the UTF-8 of `line`.
    public init(parsing line: String) throws(RuleError) { try self.init(parsing: ByteString(line)) }

    /// Parses a list of rules, one a line. Empty lines and comments are skipped.
    public static func list(parsing text: ByteString) throws(RuleError) -> [Rule] {
        var rules: [Rule] = []
        let lines = text.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = RuleWords(ByteString(line), lineNumber: index + 1)
            if !words.isEmpty { rules.append(try parse(words)) }
        }
        return rules
    }

    private static func parse(_ words: RuleWords) throws(RuleError) -> Rule {
        var parser = RuleParser(words)
        return try parser.rule()
    }
}
