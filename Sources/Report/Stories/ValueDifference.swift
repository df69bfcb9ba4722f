import Bytes
import Oracle

/// The first difference between the found value and the expected one.
struct ValueDifference: Hashable {
    /// A value that an operation of the oracle wrote to a key.
    struct Known {
        var key: ByteString
        var payload: [UInt8]
        var line: Int
    }

    /// The found content at the first byte that differs.
    enum Content: Hashable {
        /// The value ends, this many bytes too early.
        case end(missing: Int)
        /// The expected value ends, and this many bytes follow.
        case surplus(Int)
        /// This many zeros.
        case zeros(Int)
        /// This many bytes of another value of the same key.
        case otherValue(line: Int, count: Int)
        /// This many bytes of a value of another key.
        case otherKey(ByteString, line: Int, count: Int)
        /// Bytes of no value in the oracle.
        case unknown
    }

    let firstByte: Int
    let content: Content

    /// Fewer common bytes than this with another value may be a coincidence.
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
            // Of equally long matches, prefer the same key, and then the latest.
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
            ByteRangeText.bytes(UInt64(firstByte)..<UInt64(firstByte + count)) + (count == 1 ? " is" : " are")
        }
        let what =
            switch content {
            case .end(let missing): "the value ends there, \(missing.counted("byte")) short"
            case .surplus(let count): "the expected value ends there, and \(count.counted("byte")) more follow"
            case .zeros(let count): "\(run(count)) \(count == 1 ? "zero" : "zeros")"
            case .otherValue(let line, let count): "\(run(count)) those of the value of oracle line \(line)"
            case .otherKey(let key, let line, let count):
                "\(run(count)) those of the value of key \(key), oracle line \(line)"
            case .unknown: "the bytes there are in no value of the oracle"
            }
        return "from byte \(firstByte) on: \(what)"
    }
}
