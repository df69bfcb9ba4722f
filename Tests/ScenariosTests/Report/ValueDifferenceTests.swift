import Bytes
import Testing

@testable import Report

struct ValueDifferenceTests {
    private static let expected = Array("12 ".utf8) + [UInt8](repeating: 120, count: 97)

    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var found: [UInt8]
        var words: String
    }

    private static let known = [
        ValueDifference.Known(key: "k", payload: expected, line: 9),
        ValueDifference.Known(key: "k", payload: [UInt8](repeating: 121, count: 100), line: 4),
        ValueDifference.Known(key: "other", payload: [UInt8](repeating: 122, count: 100), line: 6),
    ]

    @Test(arguments: [
        Example(
            testDescription: "zeros to the end", found: expected.prefix(60) + [UInt8](repeating: 0, count: 40),
            words: "from byte 60 on: bytes 60–99 are zeros"),
        Example(
            testDescription: "zeros within",
            found: expected.prefix(60) + [UInt8](repeating: 0, count: 20) + expected[80...],
            words: "from byte 60 on: bytes 60–79 are zeros"),
        Example(
            testDescription: "too short", found: Array(expected.prefix(60)),
            words: "from byte 60 on: the value ends there, 40 bytes short"),
        Example(
            testDescription: "too long", found: expected + [1, 2, 3],
            words: "from byte 100 on: the expected value ends there, and 3 bytes more follow"),
        Example(
            testDescription: "another value of the key",
            found: expected.prefix(60) + [UInt8](repeating: 121, count: 40),
            words: "from byte 60 on: bytes 60–99 are those of the value of oracle line 4"),
        Example(
            testDescription: "a value of another key", found: [UInt8](repeating: 122, count: 100),
            words: "from byte 0 on: bytes 0–99 are those of the value of key other, oracle line 6"),
        Example(
            testDescription: "one flipped bit", found: expected.prefix(60) + [121] + expected[61...],
            words: "from byte 60 on: the bytes there are in no value of the oracle"),
    ])
    func `the first byte that differs, and what is there`(_ example: Example) {
        let difference = ValueDifference(
            expected: Self.expected, found: example.found, key: "k", known: Self.known)
        #expect(difference.words == example.words)
    }
}
