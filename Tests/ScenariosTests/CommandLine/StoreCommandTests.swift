import Bytes
import Engine
import Foundation
import Storage
import Testing

/// `faultline store`, as a user calls it.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct StoreCommandTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func store(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(["store"] + arguments, directory: temporary.path)
    }

    private func open() throws -> KeyValueStore {
        try KeyValueStore.open(storage: PosixStorage(creatingDirectory: temporary.bytes.appending("/s")))
    }

    private func segment() -> String { temporary.path + "/s/0000-0000000001.log" }

    @Test func aValueComesBackInEveryFormat() throws {
        #expect(try store("put", "s", "k", "v\u{E9}").status == 0)
        #expect(try store("put", "s", "--format", "hex", "00ff", "0a").status == 0)
        #expect(try store("put", "s", "--format", "base64", "AA==", "AP8=").status == 0)
        #expect(try store("get", "s", "k").output == "v\u{E9}")
        #expect(try store("get", "s", "--format", "hex", "00").output == "00ff\n")
        #expect(try store("get", "s", "--format", "base64", "AP8=").output == "Cg==\n")
        #expect(try store("scan", "s").output == "\\x00\t\\x00\\xff\n\\x00\\xff\t\\x0a\nk\tv\\xc3\\xa9\n")
        let item = try store("get", "s", "k", "--json").output
        #expect(item.contains(#""key_b64" : "aw==""#) && item.contains(#""offset" : 36"#))
        #expect(try store("scan", "s", "--prefix", "k", "--json").output.split(separator: "\n").count == 1)
        #expect(try store("delete", "s", "k").status == 0)
        let gone = try store("get", "s", "k")
        #expect(gone.status == 1 && gone.output.isEmpty)
    }

    @Test func anExportCreatesItsParentAndReplacesWhatWasThere() throws {
        for value in ["1", "2"] {
            #expect(try store("put", "s", "a", value).status == 0)
            #expect(try store("export", "s", "x/y/out.jsonl").status == 0)
        }
        let text = try String(contentsOfFile: temporary.path + "/x/y/out.jsonl", encoding: .utf8)
        #expect(text == "{\"key_b64\":\"YQ==\",\"value_b64\":\"Mg==\"}\n")
    }

    @Test func compactingIntoAnotherDirectoryLeavesTheSourceByteForByte() throws {
        let map = try open()
        for index in 0..<50 { try map.put(ByteString("k\(index % 5)"), Array("\(index)".utf8)) }
        try map.close()
        let before = try Data(contentsOf: URL(filePath: segment()))
        #expect(try store("compact", "s", "--into", "t", "--json").output.contains(#""liveKeys" : 5"#))
        #expect(try Data(contentsOf: URL(filePath: segment())) == before)
        let refused = try store("compact", "s", "--into", "t")
        #expect(refused.status == 2 && refused.error.contains("not empty"))
        #expect(try store("compact", "s").output.contains("1 segment removed"))
        #expect(try store("scan", "s").output == store("scan", "t").output)
    }

    @Test func verifySaysWhereTheFirstDamageIsAndChangesNothing() throws {
        let map = try open()
        for index in 0..<20 { try map.put(ByteString("k\(index)"), [UInt8](repeating: 7, count: 50)) }
        try map.compact()
        try map.put("after", [1])
        try map.close()
        let name = temporary.path + "/s/0000-0000000002.log"
        #expect(try store("verify", "s").status == 0)
        let whole = try Data(contentsOf: URL(filePath: name))
        let close = 28
        // A torn tail: a crash, or damage to what was synced last.
        let cut = whole.dropLast(close + 3)
        try cut.write(to: URL(filePath: name))
        let torn = try store("verify", "s", "--json")
        #expect(torn.status == 3 && torn.output.contains(#""ending" : "torn""#))
        #expect(
            torn.output.contains(#""verdict" : "unclear""#) && torn.output.contains(#""recordsBehindTornTail" : 0"#))
        #expect(try Data(contentsOf: URL(filePath: name)) == cut)
        // Records behind a gap that say nothing of it.
        var bytes = whole.dropLast(close + 34)
        bytes[36 + 30] ^= 1
        try bytes.write(to: URL(filePath: name))
        let unclear = try store("verify", "s", "--json")
        #expect(unclear.status == 3 && unclear.output.contains(#""recordsBehindTornTail" : 19"#))
        // The record behind them, and the close, say that they were durable.
        bytes = whole
        bytes[36 + 30] ^= 1
        try bytes.write(to: URL(filePath: name))
        let closed = try store("verify", "s", "--json")
        #expect(closed.status == 1 && closed.output.contains(#""ending" : "damaged""#))
        // A sealed segment cannot be torn.
        try whole.write(to: URL(filePath: temporary.path + "/s/0000-0000000001.log"))
        let damaged = try store("verify", "s")
        #expect(damaged.status == 1 && damaged.output.contains("0000-0000000001.log at byte 0"))
        let refused = try store("get", "s", "after")
        #expect(refused.status == 2 && refused.error.contains("0000-0000000001.log"))
        #expect(refused.error.hasPrefix("error: s: "), "\(refused.error)")
    }

    /// A store of eight puts by eight processes, and one bit of it wrong.
    private func damagedStore(at offset: Int) throws -> Data {
        for number in 1...8 { #expect(try store("put", "s", "k\(number % 3)", "value \(number)").status == 0) }
        var bytes = try Data(contentsOf: URL(filePath: segment()))
        bytes[offset] ^= 1
        try bytes.write(to: URL(filePath: segment()))
        return bytes
    }

    @Test func aWriterRefusesADamagedTailAndKeepsWhatItDiscards() throws {
        let bytes = try damagedStore(at: 60)
        for arguments in [["put", "s", "k", "v"], ["delete", "s", "k1"], ["compact", "s"]] {
            let refused = try Faultline.run(["store"] + arguments, directory: temporary.path)
            #expect(refused.status == 2 && refused.error.contains("0000-0000000001.log at 36"), "\(arguments)")
            #expect(refused.error.contains("--discard-damaged-tail"))
        }
        #expect(try Data(contentsOf: URL(filePath: segment())) == bytes, "a refusal changes nothing")
        let verified = try store("verify", "s")
        #expect(verified.status == 1 && verified.output.contains("7 whole records stand behind it"))
        let discarded = try store("put", "s", "k", "v", "--discard-damaged-tail")
        #expect(discarded.status == 0 && discarded.error.contains("kept in 0000-0000000001.log.dropped-at-36"))
        #expect(try Data(contentsOf: URL(filePath: segment() + ".dropped-at-36")) == bytes.dropFirst(36))
        #expect(try store("verify", "s").status == 0)
        #expect(try store("scan", "s").output == "k\tv\n")
        let both = try store("compact", "s", "--into", "t", "--discard-damaged-tail")
        #expect(both.status == 2 && both.error.contains("--into"))
    }

    /// The last record is the last value of its key: an older one is shown, and that is said.
    @Test func readersSayThatTheEndIsDamaged() throws {
        let bytes = try damagedStore(at: 36 + 7 * 37 + 30)
        let got = try store("get", "s", "k2")
        #expect(got.status == 3 && got.output == "value 5" && got.error.contains("damaged tail in 0000-0000000001.log"))
        #expect(try store("get", "s", "absent").status == 3, "it may be in what is not shown")
        for arguments in [
            ["scan", "s"], ["export", "s", "out.jsonl"], ["report", "s"], ["compact", "s", "--into", "t"],
        ] {
            let answer = try Faultline.run(["store"] + arguments, directory: temporary.path)
            #expect(answer.status == 3 && answer.error.contains("damaged") && !answer.output.isEmpty, "\(arguments)")
        }
        #expect(try Data(contentsOf: URL(filePath: segment())) == bytes)
    }

    /// Whole but for its end, at a record's edge or not; and with nothing left.
    @Test(arguments: [
        (36 + 8 * 37, 0, "cutShort", 8), (36 + 3 * 37, 0, "cutShort", 3), (36 + 3 * 37 - 5, 0, "torn", 2),
        (0, 0, "blank", 0), (36 + 7 * 37, 37 + 28, "cutShort", 7),
    ])
    func aFileThatLostItsEndIsNotWhole(_ size: Int, _ zeros: Int, _ ending: String, _ records: Int) throws {
        let bytes = try damagedStore(at: 36 + 8 * 37)
        try (bytes.prefix(size) + Data(count: zeros)).write(to: URL(filePath: segment()))
        let verified = try store("verify", "s", "--json")
        #expect(verified.status == 3 && verified.output.contains("\"ending\" : \"\(ending)\""))
        #expect(verified.output.contains("\"records\" : \(records),"))
        #expect(try store("scan", "s").status == 3)
        // A crash may have been the cause: a writer goes on.
        #expect(try store("put", "s", "k", "v").status == 0)
        #expect(try store("verify", "s").status == 0)
    }

    @Test(arguments: [
        (["get", "nowhere", "k"], "No such file"), (["get", ".", "k"], "no store lies in"),
        (["put", "s", "--format", "hex", "0g", "00"], "not hex at digit 1"),
        (["put", "s", "--format", "hex", "000", "00"], "two make a byte"),
        (["put", "s", "--format", "base64", "AA=", "AA=="], "is not base64"),
        (["scan", "s", "--format", "rot13"], "rot13"),
        // A filesystem in which nothing can be made says ENOENT for ever.
        (["put", "/proc/nothing/s", "k", "v"], "No such file"),
    ])
    func wrongUseIsExplained(_ arguments: [String], _ reason: String) throws {
        let answer = try Faultline.run(["store"] + arguments, directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains(reason), "\(answer.error)")
    }

    /// Readers work beside a writer in another process; a second writer does not.
    @Test func theLockHoldsAcrossProcesses() throws {
        let map = try open()
        try map.put("k", Array("v".utf8))
        try map.sync()
        for arguments in [["put", "s", "k", "w"], ["delete", "s", "k"], ["compact", "s"]] {
            let refused = try Faultline.run(["store"] + arguments, directory: temporary.path)
            #expect(refused.status == 2 && refused.error.contains("locked"), "\(arguments)")
            #expect(refused.error.contains("'s'"), "\(refused.error)")
        }
        #expect(try store("get", "s", "k").output == "v")
        #expect(try store("verify", "s").status == 0)
        try map.close()
        #expect(try store("put", "s", "k", "w").status == 0)
        #expect(try store("get", "s", "k").output == "w")
        let absent = try store("get", "s", "--format", "hex", "ff")
        #expect(absent.status == 1 && absent.error == "error: there is no key 'ff'\n")
    }
}

extension ByteString {
    fileprivate func appending(_ suffix: String) -> ByteString { ByteString(bytes + Array(suffix.utf8)) }
}
