import Bytes
import Oracle
import Testing

@Suite struct DumpReaderTests {
    static let entry = #"{"key":"azE=","payload":"dg=="}"#
    static let one = Observation(["k1": Array("v".utf8)])

    static let dumps: [(text: String, recovery: Recovery)] = [
        (entry + "\n{\"end\":true}\n", .opened(one)),
        (entry + "\r\n { \"end\" : true }", .opened(one)),
        ("{\"end\":true}\n", .opened(Observation())),
        ("{\"error\":\"bad \\u263a\\n\\\"crc\\\" \\ud83d\\ude00\"}\n", .failed(reason: "bad ☺\n\"crc\" 😀")),
        ("", .failed(reason: "the dump ends after line 0 without an end line (0 keys)")),
        (entry + "\n", .failed(reason: "the dump ends after line 1 without an end line (1 key)")),
        (entry, .failed(reason: "the dump ends after line 1 without an end line (1 key)")),
        (entry + "\n" + entry + "\n{\"end\":true}\n", .failed(reason: "dump unreadable: key k1 appears twice")),
        ("{\"end\":true}\n" + entry, .failed(reason: "dump unreadable: more after its end line")),
        ("{\"end\":true}\n{\"end\":true}\n", .failed(reason: "dump unreadable: more after its end line")),
        (
            "{\"end\":false}\n",
            .failed(
                reason: "dump unreadable: line 1, column 8: expected true in the field end, found 'f'; "
                    + "the line is: {\"end\":false}")
        ),
        (
            entry + "\nopening\n{\"end\":true}\n",
            .failed(reason: "dump unreadable: line 2, column 1: expected {, found 'o'; the line is: opening")
        ),
        (
            "{\"key\":\"azE=\"}\n{\"end\":true}\n",
            .failed(
                reason: "dump unreadable: line 1: a key without the field payload; the line is: {\"key\":\"azE=\"}")
        ),
        (
            "{\"key\":\"azE=\",\"key\":\"azE=\"}\n",
            .failed(
                reason:
                    "dump unreadable: line 1, column 16: expected one of the fields key, payload, check, end and error, each at most "
                    + "once, found \"key\"; the line is: {\"key\":\"azE=\",\"key\":\"azE=\"}")
        ),
    ]

    @Test(arguments: dumps) func `an incomplete dump is a failed recovery`(text: String, recovery: Recovery) {
        #expect(DumpReader.recovery(of: Array(text.utf8)) == recovery)
    }

    @Test func `a persistent command prints several dumps`() {
        let text = Array((Self.entry + "\n{\"end\":true}\n{\"error\":\"no\"}\n{\"end\":true}\n").utf8)
        for size in 1...text.count {
            var reader = DumpReader()
            var recoveries: [Recovery] = []
            for start in stride(from: 0, to: text.count, by: size) {
                recoveries += reader.read(Array(text[start..<min(start + size, text.count)]).span)
            }
            #expect(recoveries == [.opened(Self.one), .failed(reason: "no"), .opened(Observation())])
            #expect(!reader.isInsideDump)
            #expect(reader.finish(expectingDump: false) == nil)
        }
    }

    @Test func `an endless line does not fill the memory`() throws {
        let endless = [UInt8](repeating: UInt8(ascii: " "), count: 40)
        var dump = DumpReader(maximumLineSizeBytes: 100)
        #expect(dump.read(endless.span).isEmpty && dump.read(endless.span).isEmpty)
        #expect(dump.read(endless.span) == [.failed(reason: "dump unreadable: line 1 is longer than 100 bytes")])
        #expect(dump.read(endless.span).isEmpty)
        #expect(dump.finish(expectingDump: true) == nil)
        var oracle = OracleReader(maximumLineSizeBytes: 60)
        try oracle.read(endless.span) { _, _ throws(OracleError) in }
        #expect(throws: OracleError.meaning(line: 1, reason: "longer than 60 bytes: not an oracle")) {
            try oracle.read(endless.span) { _, _ throws(OracleError) in }
        }
    }

    @Test(
        arguments: [
            (#"{"check":"ok"}"#, .passed), (#"{"check":"row 3 \"x\""}"#, .complaint(#"row 3 "x""#)),
            ("{\"check\":\"ok\"}\n{\"check\":\"bad\"}\n{\"check\":\"ok\"}", .complaint("bad")),
        ] as [(String, Observation.OwnCheck)])
    func `the answer of the store's own checker belongs to its dump`(text: String, answer: Observation.OwnCheck) {
        var expected = Self.one
        expected.ownCheck = answer
        var reader = DumpReader()
        let dumps = Array("\(Self.entry)\n\(text)\n{\"end\":true}\n{\"end\":true}\n".utf8)
        #expect(reader.read(dumps.span) == [.opened(expected), .opened(Observation())])
        #expect(DumpReader.recovery(of: expected.encoded) == .opened(expected))
    }

    @Test(arguments: ["plain", "quote \" backslash \\ newline \n bell \u{7} é"])
    func `reasons round-trip`(reason: String) {
        #expect(DumpReader.recovery(of: DumpLine.error(reason).encoded) == .failed(reason: reason))
    }

    @Test func `equal contents are equal in any order`() throws {
        let entries = ["b", "a", "c", ""].map {
            Observation.Entry(key: ByteString(Array($0.utf8)), payload: Array($0.utf8))
        }
        let observation = try Observation(entries)
        #expect(try Observation(entries.reversed()) == observation)
        #expect(observation.entries.map(\.key) == ["", "a", "b", "c"])
        #expect(DumpReader.recovery(of: observation.encoded) == .opened(observation))
    }

    @Test func `keys can be read, replaced, added and removed`() {
        var observation = Observation(["b": [2], "d": [4]])
        #expect(observation["b"] == [2] && observation["a"] == nil && observation["e"] == nil)
        observation["a"] = [1]
        observation["b"] = [22]
        observation["c"] = [3]
        observation["d"] = nil
        observation["x"] = nil
        #expect(observation == Observation(["a": [1], "b": [22], "c": [3]]))
    }
}
