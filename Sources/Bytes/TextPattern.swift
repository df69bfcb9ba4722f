/// A name or a message without the parts that differ from run to run: two with equal patterns mean the same thing.
///
///     000012.log                                   #.log         numbers
///     o/42b674b533599e6455f15698c83215bcb5e6ce12   o/*           hashes, in hexadecimal, base32 or base64
///     9f86d081-884c-4d65-a234-c0b3a1f2e4d5.sst     *.sst         UUIDs
///     tmpk3j9x_2a, index.tmp.8f3k2j                tmp*, index.tmp.*   the random part of a temporary name
///     objects/4e/66c13b8c4c8c44a291cde6            objects/*/*   the directories that hashes are spread over
///     checksum at 4096: 0xdeadbeef                 checksum at #: #
///
/// Words stay as they are, so that `wal`, `db`, `journal` and `manifest` remain apart. The rules look at a word's
/// length and at how often letters and digits take turns in it; they know no dictionary, and a random word that looks
/// like a name is taken for one. Sibling names may tell more: `PathPatterns`.
public struct TextPattern: Hashable, Sendable {
    /// With `#` for each number and `*` for each random part.
    public let text: ByteString

    /// The pattern of a path, a name or a message.
    public init(of text: ByteString) {
        self.init(text: ByteString(Scanner.pattern(of: text.bytes)))
    }

    public init(of text: String) { self.init(of: ByteString(text)) }

    /// A pattern as it prints; what no pattern prints as is taken literally.
    public init(printed text: String) {
        self.init(text: ByteString(description: text) ?? ByteString(text))
    }

    private init(text: ByteString) { self.text = text }

    /// The most of a message that counts: a dump or a stack trace behind it says nothing about its kind.
    private static let messageLimitBytes = 300

    /// The pattern of the beginning of a message.
    public init(ofMessage text: String) {
        let bytes = Array(text.utf8.prefix(4 * Self.messageLimitBytes))
        self.init(text: ByteString(Scanner.pattern(of: bytes).prefix(Self.messageLimitBytes)))
    }

    /// Whether part of it is random.
    package var isRandom: Bool { text.bytes.contains(UInt8(ascii: "*")) }

    /// The pattern that `other`, which has one random part, shares with `name`, if that part of `name` is as long as
    /// `sibling`'s and all hexadecimal digits: `42424242` beside `4e66c13b`.
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

    /// A component that stands for a directory which random names are spread over.
    package static let anything = TextPattern(text: "*")

    /// Components as one path.
    package init(joining components: [TextPattern]) {
        self.init(text: ByteString(components.map(\.text.bytes).joined(separator: [UInt8(ascii: "/")])))
    }
}

extension TextPattern {
    /// Whether `other` is this text with anything, or nothing, in the place of each `*`.
    public func covers(_ other: TextPattern) -> Bool {
        let (pattern, bytes) = (text.bytes, other.text.bytes)
        let star = UInt8(ascii: "*")
        var (place, read) = (0, 0)
        // Behind the last star that was met, and how much that star has taken.
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
    /// Cuts a text into words and what stands between them, and says which words are random.
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

        /// 8-4-4-4-12 hexadecimal digits.
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

        /// `tmpk3j9x_2a` as Python names it, `.tmpQ3xZ9k`, `index.tmp.8f3k2j`.
        private mutating func markTemporaryNames() {
            for index in pieces.indices where pieces[index].isWord && pieces[index].bytes.isTemporary {
                var tail = Array(pieces[index].bytes.dropFirst(3))
                // Python's alphabet has an underscore.
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

        /// A short hexadecimal component with a digit, right before one that is random.
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

        /// Base64 for names has `-` and `_` within and `=` behind: what such a joint ties to a random part, and is no word
        /// and no number, belongs to it.
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
