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
        var bytes = try Data(contentsOf: URL(filePath: name))
        let whole = bytes
        // A torn tail is no damage.
        try whole.dropLast(3).write(to: URL(filePath: name))
        let torn = try store("verify", "s")
        #expect(torn.status == 0 && torn.output.contains("torn tail in 0000-0000000002.log at byte"))
        #expect(try Data(contentsOf: URL(filePath: name)) == whole.dropLast(3))
        let shown = try store("scan", "s")
        #expect(shown.status == 0 && shown.error.contains("bytes behind that are not shown"))
        // Records behind it may be lost or not.
        bytes[36 + 30] ^= 1
        try bytes.write(to: URL(filePath: name))
        let unclear = try store("verify", "s", "--json")
        #expect(unclear.status == 3 && unclear.output.contains(#""recordsBehindTornTail" : 20"#))
        #expect(unclear.output.contains(#""verdict" : "unclear""#))
        // A sealed segment cannot be torn.
        try whole.write(to: URL(filePath: temporary.path + "/s/0000-0000000001.log"))
        let damaged = try store("verify", "s")
        #expect(damaged.status == 1 && damaged.output.contains("0000-0000000001.log at byte 0"))
        let refused = try store("get", "s", "after")
        #expect(refused.status == 2 && refused.error.contains("0000-0000000001.log"))
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
