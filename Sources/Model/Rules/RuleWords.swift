import Bytes

/// The words of one line of rules, taken one by one.
struct RuleWords {
    struct Word {
        var bytes: ByteString
        /// Where it begins in the line, in bytes from 0.
        var offsetBytes: Int

        var text: String { String(decoding: bytes.bytes, as: UTF8.self) }

        /// What follows the first `count` bytes.
        func dropFirst(_ count: Int) -> Word {
            Word(bytes: ByteString(bytes.bytes.dropFirst(count)), offsetBytes: offsetBytes + count)
        }
    }

    let line: ByteString
    private let lineNumber: Int
    private var words: ArraySlice<Word> = []

    /// Splits `line` at spaces and tabs that no backslash precedes, up to a comment.
    init(_ line: ByteString, lineNumber: Int) {
        self.line = line
        self.lineNumber = lineNumber
        let bytes = line.bytes
        let blanks = Set(" \t\r".utf8)
        var words: [Word] = []
        var place = 0
        while place < bytes.count {
            if blanks.contains(bytes[place]) {
                place += 1
                continue
            }
            if bytes[place] == UInt8(ascii: "#") { break }
            let start = place
            while place < bytes.count, !blanks.contains(bytes[place]) {
                place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
            }
            place = min(place, bytes.count)
            words.append(Word(bytes: ByteString(bytes[start..<place]), offsetBytes: start))
        }
        self.words = words[...]
    }

    var isEmpty: Bool { words.isEmpty }
    var first: Word? { words.first }

    mutating func next() -> Word? { words.popFirst() }

    /// Takes the next word if it is `text`.
    mutating func take(_ text: String) -> Bool {
        guard words.first?.text == text else { return false }
        words.removeFirst()
        return true
    }

    /// The error at `word`, or at the end of the line. An empty word is a value that is missing.
    func error(_ word: Word?, expected: String) -> RuleError {
        RuleError(
            line: line, lineNumber: lineNumber, columnBytes: (word?.offsetBytes ?? line.count) + 1, expected: expected,
            found: word?.bytes)
    }
}
