import Bytes

/// The words of a rule's line, consumed one by one.
struct RuleWords {
    struct Word {
        var bytes: ByteString
        /// Its offset in the line, in bytes from 0.
        var offsetBytes: Int

        var text: String { String(decoding: bytes.bytes, as: UTF8.self) }

        /// The word without its first `count` bytes.
        func dropFirst(_ count: Int) -> Word {
            Word(bytes: ByteString(bytes.bytes.dropFirst(count)), offsetBytes: offsetBytes + count)
        }
    }

    let line: ByteString
    private let lineNumber: Int
    private var words: ArraySlice<Word> = []

    /// Splits `line` at unescaped spaces and tabs, up to a comment.
    init(_ line: ByteString, lineNumber: Int) {
        self.line = line
        self.lineNumber = lineNumber
        let bytes = line.bytes
        let blanks = Set(" \t\r".utf8)
        var words: [Word] = []
        var position = 0
        while position < bytes.count {
            if blanks.contains(bytes[position]) {
                position += 1
                continue
            }
            if bytes[position] == UInt8(ascii: "#") { break }
            let start = position
            while position < bytes.count, !blanks.contains(bytes[position]) {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            position = min(position, bytes.count)
            words.append(Word(bytes: ByteString(bytes[start..<position]), offsetBytes: start))
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

    /// The error at `word`, or at the end of the line if nil. An empty word is a missing value.
    func error(_ word: Word?, expected: String) -> RuleError {
        RuleError(
            line: line, lineNumber: lineNumber, columnBytes: (word?.offsetBytes ?? line.count) + 1, expected: expected,
            found: word?.bytes)
    }
}
