/// A name or message without the parts that differ from run to run: equal patterns mean the same thing.
///
///     000012.log                                   #.log         numbers
///     o/42b674b533599e6455f15698c83215bcb5e6ce12   o/*           hashes, in hexadecimal, base32 or base64
///     9f86d081-884c-4d65-a234-c0b3a1f2e4d5.sst     *.sst         UUIDs
///     tmpk3j9x_2a, index.tmp.8f3k2j                tmp*, index.tmp.*   the random part of a temporary name
///     objects/4e/66c13b8c4c8c44a291cde6            objects/*/*   directories that hashes are distributed over
///     checksum at 4096: 0xdeadbeef                 checksum at #: #
///
/// Ordinary words stay, so that `wal`, `db`, `journal` and `manifest` remain distinct. The rules use a word's length
/// and how often letters and digits alternate in it, without a dictionary: a random word that looks like a name is
/// taken for one. `PathPatterns` also uses sibling names.
public struct TextPattern: Hashable, Sendable {
    /// With `#` for each number and `*` for each random part.
    public let text: ByteString

    /// The pattern of a path, a name or a message.
    public init(of text: ByteString) {
        self.init(text: ByteString(Scanner.pattern(of: text.bytes)))
    }

    public init(of text: String) { self.init(of: ByteString(text)) }

    /// Parses a printed pattern; other text is taken literally.
    public init(printed text: String) {
        self.init(text: ByteString(description: text) ?? ByteString(text))
    }

    private init(text: ByteString) { self.text = text }

    /// Only so much of a message counts: a dump or stack trace after it does not identify its kind.
    private static let messageLimitBytes = 300

    /// The pattern of the start of a message.
    public init(ofMessage text: String) {
        let bytes = Array(text.utf8.prefix(4 * Self.messageLimitBytes))
        self.init(text: ByteString(Scanner.pattern(of: bytes).prefix(Self.messageLimitBytes)))
    }

    /// Whether it has a random part.
    package var isRandom: Bool { text.bytes.contains(UInt8(ascii: "*")) }

    /// The pattern `other` for `name`, if `name` matches it with a part of hexadecimal digits as long as the random
    /// part of `sibling`: `42424242` beside `4e66c13b`.
    package init?(of name: ByteString, like sibling: ByteString, _ other: TextPattern) {
        let star = UInt8(ascii: "*")
        guard name.count == sibling.count, let place = other.text.bytes.firstIndex(of: star),
            other.text.bytes.count(where: { $0 == star }) == 1
        else { return nil }
        let (before, after) = (other.text.bytes[..<place], other.text.bytes[(place + 1)...])
        let middle = name.bytes.dropFirst(before.count).dropLast(after.count)
        guard !middle.isEmpty, name.bytes.starts(with: before), name.bytes.suffix(after.count).elementsEqual(after),
            middle.allSatisfy(\.isHexadecimalDigit)
        else { return nil }
        self = other
    }

    /// The component for a directory that random names are distributed over.
    package static let anything = TextPattern(text: "*")

    /// Joins components to a path.
    package init(joining components: [TextPattern]) {
        self.init(text: ByteString(components.map(\.text.bytes).joined(separator: [UInt8(ascii: "/")])))
    }
}

extension TextPattern {
    /// Whether `other` matches this pattern, where `*` matches any text, including none.
    public func covers(_ other: TextPattern) -> Bool {
        let (pattern, bytes) = (text.bytes, other.text.bytes)
        let star = UInt8(ascii: "*")
        var (place, read) = (0, 0)
        // The position after the last star, and how much that star has matched.
        var retry: (place: Int, read: Int)?
        while read < bytes.count {
            if place < pattern.count, pattern[place] == star {
                place += 1
                retry = (place, read)
            } else if place < pattern.count, pattern[place] == bytes[read] {
                (place, read) = (place + 1, read + 1)
            } else if let last = retry {
                retry = (last.place, last.read + 1)
                (place, read) = (last.place, last.read + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == star }
    }
}

extension TextPattern: CustomStringConvertible {
    public var description: String { text.description }
}

extension TextPattern: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(printed: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension TextPattern: Comparable {
    public static func < (left: TextPattern, right: TextPattern) -> Bool { left.text < right.text }
}

extension TextPattern {
    /// Splits a text into words and separators, and classifies the words.
    private struct Scanner {
        private struct Piece {
            var bytes: ArraySlice<UInt8>
            var isWord: Bool
            var shape = PatternWord.Shape.plain
        }

        private var pieces: [Piece] = []

        private init(_ bytes: [UInt8]) {
            var rest = bytes[...]
            while let first = rest.first {
                let isWord = first.isWordByte
                let end = rest.firstIndex { $0.isWordByte != isWord } ?? rest.endIndex
                pieces.append(Piece(bytes: rest[..<end], isWord: isWord))
                rest = rest[end...]
            }
        }

        static func pattern(of bytes: [UInt8]) -> [UInt8] {
            var scanner = Scanner(bytes)
            scanner.classify()
            scanner.joinUUIDs()
            scanner.markTemporaryNames()
            scanner.joinRandomParts()
            scanner.markSpreadDirectories()
            return scanner.pieces.flatMap { $0.shape.shown($0.bytes) }
        }

        private mutating func classify() {
            for index in pieces.indices where pieces[index].isWord {
                let isEscape = index > 0 && pieces[index - 1].bytes.last == UInt8(ascii: "\\")
                pieces[index].shape = PatternWord.shape(pieces[index].bytes, isEscape: isEscape)
            }
        }

        /// Joins UUIDs: 8-4-4-4-12 hexadecimal digits.
        private mutating func joinUUIDs() {
            var index = 0
            while index + 8 < pieces.count {
                let group = pieces[index...(index + 8)]
                let isUUID = zip(group, [8, 1, 4, 1, 4, 1, 4, 1, 12]).allSatisfy { piece, count in
                    piece.bytes.count == count
                        && (count == 1
                            ? piece.bytes.first == UInt8(ascii: "-") : piece.bytes.allSatisfy(\.isHexadecimalDigit))
                }
                if isUUID {
                    pieces[index].shape = .random
                    pieces.removeSubrange(index + 1...index + 8)
                }
                index += 1
            }
        }

        /// Marks temporary names: `tmpk3j9x_2a` (Python), `.tmpQ3xZ9k`, `index.tmp.8f3k2j`.
        private mutating func markTemporaryNames() {
            for index in pieces.indices where pieces[index].isWord && pieces[index].bytes.isTemporary {
                var tail = Array(pieces[index].bytes.dropFirst(3))
                // Python's random names may contain an underscore.
                var next = index + 1
                while tail.count < 8, next < pieces.count,
                    pieces[next].isWord || pieces[next].bytes.allSatisfy({ $0 == UInt8(ascii: "_") })
                {
                    tail += pieces[next].bytes
                    next += 1
                }
                let isPython =
                    tail.count == 8 && tail.first != UInt8(ascii: "_")
                    && tail.allSatisfy { $0.isLowercase || $0.isDecimalDigit || $0 == UInt8(ascii: "_") }
                if isPython, next == pieces.count || !pieces[next].isWord {
                    pieces[index].shape = .temporary
                    for used in index + 1..<next { (pieces[used].bytes, pieces[used].shape) = ([], .plain) }
                } else if PatternWord.isRandomTail(pieces[index].bytes.dropFirst(3)) {
                    pieces[index].shape = .temporary
                } else if pieces[index].bytes.count == 3, index + 2 < pieces.count,
                    PatternWord.isRandomTail(pieces[index + 2].bytes)
                {
                    pieces[index + 2].shape = .random
                }
            }
        }

        /// Marks a short hexadecimal component with a digit, right before a random one.
        private mutating func markSpreadDirectories() {
            guard pieces.count > 2 else { return }
            for index in pieces.indices.dropLast(2).reversed() {
                let (piece, next) = (pieces[index], pieces[index + 2])
                let isComponent = index == 0 || pieces[index - 1].bytes.last == UInt8(ascii: "/")
                guard piece.isWord, isComponent, pieces[index + 1].bytes.elementsEqual([UInt8(ascii: "/")]),
                    next.shape == .random, piece.bytes.isShortHexadecimal, piece.bytes.contains(where: \.isDecimalDigit)
                else { continue }
                pieces[index].shape = .random
            }
        }

        /// Joins the parts of base64url names, which contain `-`, `_` and `=`: a part that is neither a word nor a
        /// number, and is joined to a random part by such a character, belongs to it.
        private mutating func joinRandomParts() {
            while let index = pieces.indices.first(where: belongsToRandomPart) { pieces[index].shape = .random }
            for index in pieces.indices.dropFirst(4) where pieces[index].shape == .random {
                let isBetween = pieces[index - 4].shape == .random && isJoint(index - 1) && isJoint(index - 3)
                if isBetween, pieces[index - 2].bytes.count <= 3 { pieces[index - 2].shape = .random }
            }
            for index in pieces.indices.reversed() where pieces[index].shape == .random {
                while isJoint(index + 1), index + 2 < pieces.count, pieces[index + 2].shape == .random {
                    pieces.removeSubrange(index + 1...index + 2)
                }
                if index + 1 < pieces.count {
                    pieces[index + 1].bytes = pieces[index + 1].bytes.drop { $0 == UInt8(ascii: "=") }
                }
            }
        }

        private func belongsToRandomPart(_ index: Int) -> Bool {
            guard pieces[index].shape == .plain, PatternWord.isOdd(pieces[index].bytes) else { return false }
            return isJoint(index - 1) && index >= 2 && pieces[index - 2].shape == .random
                || isJoint(index + 1) && index + 2 < pieces.count && pieces[index + 2].shape == .random
        }

        private func isJoint(_ index: Int) -> Bool {
            guard pieces.indices.contains(index), let first = pieces[index].bytes.first else { return false }
            return pieces[index].bytes.count == 1 && "-_+".utf8.contains(first)
        }
    }
}
