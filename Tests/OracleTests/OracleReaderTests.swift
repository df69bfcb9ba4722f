import Bytes
import Oracle
import Testing

@Suite struct OracleReaderTests {
    /// `b1` begins put 1, `a1` acknowledges it, `f1` fails it, `d1` acknowledges a del, `R` restarts, `~` is a torn
    /// line, `?` a damaged one; `b1/5` is of batch 5.
    static func text(_ words: String) -> [UInt8] {
        var text: [UInt8] = []
        for word in words.split(separator: " ") {
            let parts = word.dropFirst().split(separator: "/").map { UInt64($0)! }
            let txn = parts.count > 1 ? parts[1] : nil
            switch word.first {
            case "b": OracleLine.begin(.put(parts[0], "k", [1], txn: txn)).append(to: &text)
            case "a": OracleLine.acknowledged(.put(parts[0], "k", [1], txn: txn)).append(to: &text)
            case "f": OracleLine.failed(.put(parts[0], "k", [1], txn: txn)).append(to: &text)
            case "d": OracleLine.acknowledged(.delete(parts[0], "k", txn: txn)).append(to: &text)
            case "R": OracleLine.restart.append(to: &text)
            case "~": text += Array("{\"op\":\"put\",\"se\n".utf8)
            default: text += Array("{\"op\":\"put\"!\n".utf8)
            }
        }
        return text
    }

    static let allowed = [
        "", "b1 a1", "b0 a0 b1 a1", "b1 b2 b3 a3 a1 a2", "b1 b2 a2 b3", "b1 f1 b2 a2", "b1 R b2 a2", "b1 R b1 a1",
        "b1 R b0 a0",
        "a0 a1", "a1 a2 a9", "a0 d3", "a5-", "a1 a2 R a3", "a1 a2 R a1", "b1 ~ R b2", "b1 ~ R b3", "b1 ~ R b1", "R b1",
        "R R a1",
        "b1/5 b2/5 a2/5 a1/5 b3/5 a3/5", "b1/5 b2/6 a1/5 b3/6 a3/6 a2/6",
    ].map { $0 == "a5-" ? "a0 a5" : $0 }

    @Test(arguments: allowed) func `legal orders are accepted`(words: String) throws {
        #expect(throws: Never.self) { try OracleReader.lines(of: Self.text(words)) }
    }

    static let refused: [(words: String, line: Int, reason: String)] = [
        ("b2", 1, "start at 0 or 1"), ("b1 b3", 2, "rise by one: 2 was due"), ("b1 b1", 2, "rise by one"),
        ("b1 a2", 2, "not begun"), ("b1 a1 a1", 3, "answered twice"), ("b1 f1 a1", 3, "it failed on line 2"),
        ("b1 d1", 2, "op or payload"), ("b1/5 a1", 2, "txn"), ("b1 R a1", 3, "begun in an earlier life"),
        ("b1 R b3", 3, "rise by one"),
        ("b1/5 b2/5 a1/5 b3/5", 4, "batch 5"), ("b1/5 b2/5 a1/5 f2/5", 4, "both acknowledged and failed"),
        ("a2", 1, "start at 0 or 1"), ("a1 a1", 2, "rise"),
        ("a1 a3 a2", 3, "rise"),
        ("a1 b2", 2, "began without them"), ("b1 a1 R a2", 4, "not begun"), ("f1", 1, "not begun"),
        ("b1 ~ b2", 2, "column 16"), ("b1 ~", 2, "column 16"), ("b1 ? R", 2, "column 12"), ("b1 ~ ~ R", 2, "column 16"),
        ("b1 ~ R b4", 4, "rise by one"),
    ]

    @Test(arguments: refused) func `illegal orders are errors with their line`(words: String, line: Int, reason: String)
        throws
    {
        let error = #expect(throws: OracleError.self) { try OracleReader.lines(of: Self.text(words)) }
        #expect(error?.line == line)
        #expect("\(try #require(error))".contains(reason), "\(String(describing: error))")
    }

    @Test func `a torn last line is counted wherever it was cut`() throws {
        let text = Self.text("b1 a1 b2")
        let whole = Self.text("b1 a1").count
        for cut in whole...text.count {
            var reader = OracleReader()
            var lines = 0
            try reader.read(Array(text[..<cut]).span) { _, _ throws(OracleError) in lines += 1 }
            try reader.finish { _, _ throws(OracleError) in lines += 1 }
            // A line that lacks only its newline is complete.
            #expect(lines == (cut >= text.count - 1 ? 3 : 2), "cut at \(cut)")
            #expect(reader.tornLines == (cut > whole && cut < text.count - 1 ? 1 : 0), "cut at \(cut)")
            #expect(reader.inFlight == (cut >= text.count - 1 ? 1 : 0))
        }
    }

    @Test func `a damaged last line is not a torn line`() {
        let text = Self.text("b1 a1 ?").dropLast()
        #expect(throws: OracleError.self) { try OracleReader.lines(of: Array(text)) }
    }

    @Test func `a restart after a torn line terminates it first`() throws {
        for words in ["", "b1 a1", "b1 a1 b2"] {
            let text = Self.text(words)
            for cut in 0...text.count {
                let torn = Array(text[..<cut])
                let lines = try OracleReader.lines(of: torn + OracleLine.restartText(after: torn.last))
                #expect(lines.last?.line == .restart)
            }
        }
    }

    @Test func `chunks may end anywhere`() throws {
        let text = Self.text("b1 b2 a2 a1 R b3 f3 b4 ~ R")
        let expected = try OracleReader.lines(of: text).map(\.line)
        for size in 1...text.count {
            var lines: [OracleLine] = []
            var numbers: [Int] = []
            var reader = OracleReader()
            for start in stride(from: 0, to: text.count, by: size) {
                let chunk = Array(text[start..<min(start + size, text.count)])
                try reader.read(chunk.span) { line, number throws(OracleError) in
                    lines.append(line)
                    numbers.append(number)
                }
            }
            try reader.finish { _, _ throws(OracleError) in Issue.record("nothing is left") }
            #expect(lines == expected)
            #expect(numbers == [1, 2, 3, 4, 5, 6, 7, 8, 10])
            #expect(reader.tornLines == 1)
            #expect(reader.lineNumber == 10)
        }
    }
}
