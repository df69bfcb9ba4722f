import Bytes
import Oracle

/// Where a value that was found first differs from the one that was expected, and what stands there.
struct ValueDifference: Hashable {
    /// A value that an operation of the oracle gave to a key.
    struct Known {
        var key: ByteString
        var payload: [UInt8]
        var line: Int
    }

    /// What stands at the first byte that differs.
    enum Content: Hashable {
        /// Nothing: the value ends, so many bytes too early.
        case end(missing: Int)
        /// The expected value has ended, and so many bytes follow.
        case surplus(Int)
        /// So many zeros.
        case zeros(Int)
        /// So many bytes of another value of the same key.
        case otherValue(line: Int, count: Int)
        /// So many bytes of a value of another key.
        case otherKey(ByteString, line: Int, count: Int)
        /// Nothing that the oracle knows.
        case unknown
    }

    let firstByte: Int
    let content: Content

    /// Fewer bytes than this in common with another value are chance.
    private static let shortestRun = 8

    init(expected: [UInt8], found: [UInt8], key: ByteString, known: [Known]) {
        firstByte = Self.sharedCount(expected[...], found[...])
        let rest = found[firstByte...]
        if rest.isEmpty {
            content = .end(missing: expected.count - firstByte)
            return
        }
        let zeroCount = rest.prefix { $0 == 0 }.count
        if Self.tells(zeroCount, rest) {
            content = .zeros(zeroCount)
            return
        }
        var best: (known: Known, count: Int)?
        for value in known where value.payload.count > firstByte && (value.key != key || value.payload != expected) {
            let count = Self.sharedCount(value.payload[firstByte...], rest)
            // Of equally long ones that of the key itself, and the latest.
            let isBetter = best.map { ($0.count, $0.known.key == key ? 1 : 0) <= (count, value.key == key ? 1 : 0) }
            if Self.tells(count, rest), isBetter ?? true { best = (value, count) }
        }
        if let best {
            content =
                best.known.key == key
                ? .otherValue(line: best.known.line, count: best.count)
                : .otherKey(best.known.key, line: best.known.line, count: best.count)
        } else {
            content = firstByte == expected.count ? .surplus(rest.count) : .unknown
        }
    }

    private static func tells(_ count: Int, _ rest: ArraySlice<UInt8>) -> Bool {
        count > 0 && (count >= shortestRun || count == rest.count)
    }

    private static func sharedCount(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int {
        zip(one, other).prefix { $0 == $1 }.count
    }

    /// `from byte 512 on: bytes 512–602 are zeros`
    var words: String {
        func run(_ count: Int) -> String {
            ByteRangeWords.bytes(UInt64(firstByte)..<UInt64(firstByte + count)) + (count == 1 ? " is" : " are")
        }
        let what =
            switch content {
            case .end(let missing): "the value ends there, \(missing.counted("byte")) short"
            case .surplus(let count): "the expected value ends there, and \(count.counted("byte")) more follow"
            case .zeros(let count): "\(run(count)) \(count == 1 ? "zero" : "zeros")"
            case .otherValue(let line, let count): "\(run(count)) those of the value of oracle line \(line)"
            case .otherKey(let key, let line, let count):
                "\(run(count)) those of the value of key \(key), oracle line \(line)"
            case .unknown: "what stands there is in no value of the oracle"
            }
        return "from byte \(firstByte) on: \(what)"
    }
}
