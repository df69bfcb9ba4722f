import Bytes
import Model
import Testing

struct GlobTests {
    static let table: [(pattern: String, matching: [String], not: [String])] = [
        ("a.wal", ["a.wal"], ["a_wal", "a.walx", "xa.wal", ""]),
        ("*.wal", ["a.wal", ".wal"], ["d/a.wal", "a.wal/"]),
        ("*", ["a", ".", ""], ["a/b"]),
        ("**", ["a", "a/b", ".", ""], []),
        ("**/*.wal", ["a.wal", "d/a.wal", "d/e/a.wal"], ["a.wal/x", "d/a.log"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "ab", "xa/b"]),
        ("a/**", ["a/b", "a/b/c", "a/"], ["a", "ab"]),
        ("a**b", ["ab", "axb", "a/x/b"], ["abx"]),
        ("d?/f", ["d1/f"], ["d/f", "d//f", "d12/f"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!a-c]x", ["dx", "-x"], ["ax", "/x"]),
        ("[^a]", ["b"], ["a", "/"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("\\*\\\\", ["*\\"], ["x\\"]),
        ("a\\ b", ["a b"], ["a\\ b"]),
        ("\\x2a\\x00", ["*\0"], ["a\0"]),
        ("*a*a*a*a*a*a*a*a*a*b", [], [String(repeating: "a", count: 200)]),
    ]

    @Test(arguments: table) func `a pattern matches whole paths`(
        _ row: (pattern: String, matching: [String], not: [String])
    ) throws {
        let glob = try Glob(parsing: ByteString(row.pattern))
        for path in row.matching { #expect(glob.matches(ByteString(path)), "\(path)") }
        for path in row.not { #expect(!glob.matches(ByteString(path)), "\(path)") }
    }

    @Test func `patterns match bytes, not characters`() throws {
        let composed = ByteString("caf\u{E9}")
        let decomposed = ByteString("cafe\u{301}")
        let glob = try Glob(parsing: composed)
        #expect(glob.matches(composed))
        #expect(!glob.matches(decomposed))
        #expect(glob.description == "caf\\xc3\\xa9")
        #expect(try Glob(parsing: "caf?").matches(decomposed) == false, "? is one byte")
    }

    static let spellings: [(given: String, printed: String)] = [
        ("*.wal", "*.wal"), ("a\\ b", "a\\x20b"), ("[^x]", "[!x]"), ("[]x]", "[\\]x]"), ("\\[a]", "\\[a\\]"),
        ("**\\/a", "**\\/a"), ("**/a", "**/a"), ("\\/a", "\\/a"), ("\\q", "q"), ("[a-a]", "[a]"),
    ]

    @Test(arguments: spellings) func `a pattern prints as an equivalent pattern`(
        _ row: (given: String, printed: String)
    ) throws {
        let glob = try Glob(parsing: ByteString(row.given))
        #expect(glob.description == row.printed)
        #expect(try Glob(parsing: ByteString(glob.description)) == glob)
    }

    static let wrong: [(pattern: String, offset: Int)] = [
        ("", 0), ("/a", 0), ("a***", 3), ("x[ab", 1), ("[", 0), ("ab\\", 2), ("a\\xg0", 1), ("a\\x1", 1), ("\\x+1", 0),
        ("[z-a]", 1),
    ]

    @Test(arguments: wrong) func `an invalid pattern is refused with the offset of the error`(
        _ row: (pattern: String, offset: Int)
    ) {
        #expect { try Glob(parsing: ByteString(row.pattern)) } throws: { ($0 as? GlobError)?.offsetBytes == row.offset }
    }

    /// Against a matcher that tries every way to split the path.
    @Test(arguments: 0..<50 as Range<UInt64>) func `matching agrees with a matcher that tries every split`(
        _ seed: UInt64
    ) throws {
        var random = RandomStream(seed: seed).stream("globs")
        let pieces = ["a", "b", "/", "*", "?", "**/", "[ab]", "[!a]", "/**"]
        for _ in 0..<20 {
            let pattern = (0...Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            guard let glob = try? Glob(parsing: ByteString(pattern)) else { continue }
            for _ in 0..<20 {
                let path = String(
                    (0..<Int.random(in: 0...7, using: &random)).map { _ in "ab/".randomElement(using: &random)! })
                let expected = naive(Array(pattern.utf8)[...], Array(path.utf8)[...], isStart: true)
                #expect(glob.matches(ByteString(path)) == expected, "seed \(seed): \(pattern) on \(path)")
            }
        }
    }

    private func naive(_ pattern: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>, isStart: Bool) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        let slash = UInt8(ascii: "/")
        if isStart, pattern.starts(with: "**/".utf8) {
            let rest = pattern.dropFirst(3)
            if naive(rest, path, isStart: true) { return true }
            return path.indices.contains { path[$0] == slash && naive(rest, path[($0 + 1)...], isStart: true) }
        }
        if pattern.starts(with: "**".utf8) {
            return (path.startIndex...path.endIndex).contains {
                naive(pattern.dropFirst(2), path[$0...], isStart: false)
            }
        }
        if first == UInt8(ascii: "*") {
            let component = path.prefix { $0 != slash }
            return (component.startIndex...component.endIndex).contains {
                naive(pattern.dropFirst(), path[$0...], isStart: false)
            }
        }
        guard let byte = path.first else { return false }
        if first == UInt8(ascii: "[") {
            let close = pattern.firstIndex(of: UInt8(ascii: "]"))!
            let isNegated = pattern[pattern.startIndex + 1] == UInt8(ascii: "!")
            let members = pattern[(pattern.startIndex + (isNegated ? 2 : 1))..<close]
            return byte != slash && members.contains(byte) != isNegated
                && naive(pattern[(close + 1)...], path.dropFirst(), isStart: false)
        }
        let isMatch = first == UInt8(ascii: "?") ? byte != slash : byte == first
        return isMatch && naive(pattern.dropFirst(), path.dropFirst(), isStart: first == slash)
    }
}
