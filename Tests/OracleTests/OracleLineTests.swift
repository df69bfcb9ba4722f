import Bytes
import Oracle
import Testing

@Suite struct OracleLineTests {
    static let put = OracleOperation.put(7, "k1", [0xFB, 0xFF, 0xFE])

    static let encodings: [(line: OracleLine, text: String)] = [
        (.acknowledged(put), #"{"op":"put","seq":7,"key":"azE=","payload":"+//+"}"#),
        (.begin(put), #"{"op":"put","seq":7,"key":"azE=","payload":"+//+","phase":"begin"}"#),
        (.failed(put), #"{"op":"put","seq":7,"key":"azE=","payload":"+//+","phase":"failed"}"#),
        (.acknowledged(.delete(8, "k1")), #"{"op":"del","seq":8,"key":"azE="}"#),
        (.begin(.delete(8, "k1", txn: 3)), #"{"op":"del","seq":8,"key":"azE=","txn":3,"phase":"begin"}"#),
        (
            .begin(.put(.max, "", [], txn: 0)),
            #"{"op":"put","seq":18446744073709551615,"key":"","payload":"","txn":0,"phase":"begin"}"#
        ),
        (.restart, #"{"op":"restart"}"#),
    ]

    @Test(arguments: encodings) func `is written as documented and round-trips`(line: OracleLine, text: String) throws {
        #expect(String(decoding: line.encoded, as: UTF8.self) == text + "\n")
        #expect(try OracleLine.parse(Array(text.utf8), line: 1) == line)
    }

    static let otherSpellings: [(text: String, line: OracleLine)] = [
        (#"  { "payload" : "+\/\/+" , "key":"azE=" ,"seq": 7,"op":"put" } "#, .acknowledged(put)),
        ("{\"op\":\"put\",\t\"seq\":7,\"key\":\"azE=\",\"payload\":\"\\u002b//+\"}\r", .acknowledged(put)),
        (#"{"\u006fp":"del","seq":0,"key":"azE="}"#, .acknowledged(.delete(0, "k1"))),
        (#"{"phase":"begin","op":"d\u0065l","seq":0,"key":"azE="}"#, .begin(.delete(0, "k1"))),
    ]

    @Test(arguments: otherSpellings) func `field order, white space and escapes are free`(
        text: String, line: OracleLine
    ) throws {
        #expect(try OracleLine.parse(Array(text.utf8), line: 1) == line)
    }

    /// An invalid line, the column of the error (0: the whole line), and words in the message.
    static let refused: [(text: String, column: Int, words: String)] = [
        (#"[]"#, 1, "expected {"),
        (#"{"op":"put" "seq":7}"#, 13, "',' or '}'"),
        (#"{"op":"put",}"#, 13, "a field's name"),
        (#"{"op":"pot","seq":7,"key":"","payload":""}"#, 8, "\"put\", \"del\" or \"restart\""),
        (#"{"op":"del","seq":7,"key":"azE"}"#, 31, "multiple of 4"),
        (#"{"op":"del","seq":7,"key":"azF="}"#, 30, "stray bits"),
        (#"{"op":"del","seq":7,"key":"a!E="}"#, 29, "not base64"),
        (#"{"op":"del","seq":7,"key":"a\!E="}"#, 29, "a JSON escape"),
        (#"{"op":"del","seq":7,"key":"\u00g0"}"#, 32, "hexadecimal"),
        ("{\"op\":\"del\",\"seq\":7,\"key\":\"az\u{1}=\"}", 30, "not base64"),
        ("{\"op\":\"del\",\"seq\":7,\"key\":\"\\/z\u{1}=\"}", 31, "control character"),
        (#"{"op":"del","seq":07,"key":""}"#, 19, "leading zeros"),
        (#"{"op":"del","seq":-7,"key":""}"#, 19, "a whole number"),
        (#"{"op":"del","seq":7.5,"key":""}"#, 20, "',' or '}'"),
        (#"{"op":"del","seq":"7","key":""}"#, 19, "a whole number"),
        (#"{"op":"del","seq":18446744073709551616,"key":""}"#, 38, "below 2^64"),
        (#"{"op":"del","seq":7,"key":"","key":""}"#, 31, "once"),
        (#"{"op":"del","seq":7,"key":"","phse":"begin"}"#, 31, "op, seq, key, payload, phase or txn"),
        (#"{"op":"del","seq":7,"key":"","phase":"end"}"#, 39, "\"begin\" or \"failed\""),
        (#"{"op":"del","seq":7,"key":""} x"#, 31, "the end of the line"),
        (#"{}"#, 0, "no op"),
        (#"{"op":"del","key":""}"#, 0, "no seq"),
        (#"{"op":"del","seq":7}"#, 0, "no key"),
        (#"{"op":"put","seq":7,"key":""}"#, 0, "without a payload"),
        (#"{"op":"del","seq":7,"key":"","payload":""}"#, 0, "with a payload"),
        (#"{"op":"restart","seq":7}"#, 0, "no other field"),
    ]

    @Test(arguments: refused) func `damage is an error with its column`(text: String, column: Int, words: String) throws
    {
        let error = #expect(throws: OracleError.self) { try OracleLine.parse(Array(text.utf8), line: 12) }
        let message = "\(try #require(error))"
        #expect(message.hasPrefix(column == 0 ? "line 12: " : "line 12, column \(column): "), "\(message)")
        #expect(message.contains(words), "\(message)")
    }

    @Test(arguments: encodings) func `every prefix of a line is recognised as torn`(line: OracleLine, text: String)
        throws
    {
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            let error = #expect(throws: OracleError.self) { try OracleLine.parse(Array(bytes[..<count]), line: 3) }
            guard case .truncated(3, count + 1, _) = error else {
                Issue.record("\(text.prefix(count)): \(String(describing: error))")
                return
            }
        }
    }

    /// Random bytes and damaged lines parse or throw; they never trap.
    @Test func `no input traps`() {
        var bits = UInt64(42)
        func next() -> Int {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(bits >> 33)
        }
        let alphabet = Array(#"{}[]:,"\/u0041 opseqkeyputdelpayloadphasebegintxn=+azE7"#.utf8) + [0, 10, 255]
        for round in 0..<20_000 {
            var text = Array(Self.encodings[round % Self.encodings.count].text.utf8)
            for _ in 0...next() % 4 where !text.isEmpty {
                let place = next() % text.count
                switch next() % 3 {
                case 0: text[place] = alphabet[next() % alphabet.count]
                case 1: text.insert(alphabet[next() % alphabet.count], at: place)
                default: text.remove(at: place)
                }
            }
            guard let line = try? OracleLine.parse(text, line: 1) else { continue }
            #expect((try? OracleLine.parse(line.encoded.dropLast(), line: 1)) == line)
        }
    }
}

extension OracleLine {
    fileprivate static func parse(_ text: ArraySlice<UInt8>, line: Int) throws(OracleError) -> OracleLine {
        try parse(Array(text), line: line)
    }
}
