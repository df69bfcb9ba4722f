import Bytes
import Foundation
import Oracle
import Testing

/// Oracles written by other programs, and those in the documentation.
@Suite struct PlainOracleTests {
    /// a = "1", then "2"; b = "3", deleted; c = "?>?"; number 4 failed and was not written. As Go, Python and PHP write
    /// it: with gaps, other field orders, white space and escapes.
    static let dialects = [
        """
        {"op":"put","seq":0,"key":"YQ==","payload":"MQ=="}
        {"op":"put","seq":1,"key":"Yg==","payload":"Mw=="}
        {"op":"put","seq":2,"key":"YQ==","payload":"Mg=="}
        {"op":"del","seq":3,"key":"Yg=="}
        {"op":"put","seq":5,"key":"Yw==","payload":"Pz4/"}

        """,
        """
        {"op": "put", "seq": 1, "key": "YQ==", "payload": "MQ=="}
        {"op": "put", "seq": 2, "key": "Yg==", "payload": "Mw=="}
        {"op": "put", "seq": 3, "key": "YQ==", "payload": "Mg=="}
        {"op": "del", "seq": 4, "key": "Yg=="}
        {"op": "put", "seq": 6, "key": "Yw==", "payload": "Pz4/"}
        """,
        """
        {"seq":1,"op":"put","payload":"MQ==","key":"YQ\\u003d\\u003d"}\r
        {"seq":20,"op":"put","payload":"Mw==","key":"Yg=="}\r
        {"seq":21,"op":"put","payload":"Mg==","key":"YQ=="}\r
        {"seq":23,"op":"del","key":"Yg=="}\r
        {"seq":90,"op":"put","payload":"Pz4\\/","key":"Yw=="}\r
        {"seq":91,"op":"put","payl
        """,
    ]

    @Test(arguments: dialects) func `a fixture of puts and dels is judged`(text: String) throws {
        let good = Script.observation("a=2 c=?>?")
        #expect(try Self.judge(text, good).verdict == .pass)
        #expect(try Self.judge(text, good).totals.oracleLive == 2)
        #expect(try Self.judge(text, Script.observation("a=2")).unattributed.map(\.key) == ["c"])
        #expect(try Self.judge(text, Script.observation("a=1 b=3 c=?>?")).broken == [.durable, .noResurrection])
        #expect(try Self.judge(text, Observation()).broken == [.durable])
    }

    private static func judge(_ text: String, _ observation: Observation) throws -> Judgement {
        var validator = Validator(.watching(observation))
        for (line, number) in try OracleReader.lines(of: Array(text.utf8)) { try validator.apply(line, at: number) }
        return validator.judge(observation, contract: .durable)
    }

    @Test func `the examples of the documentation are real`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/oracle-format.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        // Each block of indented lines is an example.
        var examples: [[Substring]] = [[]]
        for line in lines {
            if line.hasPrefix("    {") {
                examples[examples.count - 1].append(line.dropFirst(4))
            } else {
                examples.append([])
            }
        }
        examples.removeAll(where: \.isEmpty)
        #expect(examples.count == 5)
        for example in examples {
            let text = Array(example.joined(separator: "\n").utf8)
            if example[0].contains("\"op\"") {
                #expect(try OracleReader.lines(of: text).count == example.count)
            } else if example[0].contains("error") {
                #expect(DumpReader.recovery(of: text) == .failed(reason: "segment 3: bad checksum"))
            } else {
                #expect(DumpReader.recovery(of: text) == .opened(Script.observation("pear=green")))
            }
        }
    }

    /// The documented table of three threads on one key.
    @Test func `the documented table of overlapping operations holds`() throws {
        let validator = try Script("+k=A +k=B !1 +k=C !3 !2").validator(.everything)
        let legal = ["-A", "-AB", "AB", "ABC", "BC", "BC"]
        for (index, legal) in legal.enumerated() {
            for value in "-ABC" {
                let observation = Script.observation(value == "-" ? "" : "k=\(value)")
                let verdict = validator.judge(observation, contract: .durable, at: index + 1).verdict
                #expect((verdict == .pass) == legal.contains(value), "after line \(index + 1): \(value)")
            }
        }
    }
}
