import Bytes
import Foundation
import Oracle
import Testing

/// The two halves on their own, from the command line.
@Suite struct WorkloadAndValidateTests {
    private let temporary: TemporaryDirectory
    private let memory: String
    private var oracle: String { memory + "/oracle" }
    private var store: String { temporary.path + "/store" }

    init() throws {
        temporary = try TemporaryDirectory()
        // Another filesystem than that of the store, where there is one.
        memory = "/dev/shm/faultline-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: memory, withIntermediateDirectories: false)
        try FileManager.default.createDirectory(
            atPath: temporary.path + "/store", withIntermediateDirectories: false)
    }

    private func removeMemory() { try? FileManager.default.removeItem(atPath: memory) }

    private func work(_ target: String, _ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(
            ["workload", "--target", target, "--work-dir", store, "--oracle", oracle] + arguments,
            directory: temporary.path)
    }

    private func judge(_ target: String, _ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(
            ["validate", "--target", target, "--work-dir", store, "--oracle", oracle] + arguments,
            directory: temporary.path)
    }

    private func lines() throws -> [String] {
        try String(contentsOfFile: oracle, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func `a validation is reported like a run`() throws {
        defer { removeMemory() }
        #expect(try work("engine", "--ops", "10").status == 0)
        let answer = try judge("engine", "--report", "junit=-", "--report", "json=v.json")
        #expect(answer.status == 0 && answer.output.hasPrefix("<?xml"), "\(answer)")
        #expect(answer.error.contains("positive control"), "what is printed goes to standard error: \(answer)")
        let json = try Data(contentsOf: URL(filePath: temporary.path + "/v.json"))
        #expect(String(decoding: json, as: UTF8.self).contains(#""verdict" : "pass""#))
        #expect(try JSONSchema("validate.json").problems(of: json) == [])
        // A store that lost everything.
        try FileManager.default.removeItem(atPath: store)
        try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: false)
        #expect(try judge("engine", "--report", "json=lost.json").status == 1)
        let lost = try Data(contentsOf: URL(filePath: temporary.path + "/lost.json"))
        #expect(String(decoding: lost, as: UTF8.self).contains(#""durable" : "#))
        #expect(try JSONSchema("validate.json").problems(of: lost) == [])
    }

    @Test func `the benchmark of the driver has a row beside the store's own work`() throws {
        defer { removeMemory() }
        let answer = try Faultline.run(
            ["bench", "workload", "--directory", memory, "--rounds", "1", "--ops", "100", "--json"])
        try #require(answer.status == 0, "\(answer)")
        struct Report: Decodable {
            struct Row: Decodable { var value, baselineValue: Double }
            var rows: [Row]
        }
        let rows = try JSONDecoder().decode(Report.self, from: Data(answer.output.utf8)).rows
        #expect(rows.count == 1 && rows.allSatisfy { $0.value.isFinite && $0.baselineValue > 0 }, "\(answer)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: memory).isEmpty, "it leaves nothing")
    }

    @Test func `a workload makes its directory, and takes it away when nothing could begin`() throws {
        defer { removeMemory() }
        func workload(oracle: String) throws -> Faultline.Answer {
            try Faultline.run(
                ["workload", "--target", "engine", "--work-dir", "new/store", "--oracle", oracle, "--ops", "3"],
                directory: temporary.path)
        }
        let refused = try workload(oracle: memory)
        #expect(refused.status == 2, "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: temporary.path + "/new"))
        let done = try workload(oracle: oracle)
        #expect(done.status == 0 && done.output.contains("done: 3 operations acknowledged"), "\(done)")
        #expect(FileManager.default.fileExists(atPath: temporary.path + "/new/store"))
        // The oracle alone is a slip: it says what to do.
        try FileManager.default.removeItem(atPath: temporary.path + "/new")
        let slip = try workload(oracle: oracle)
        #expect(slip.status == 2 && slip.error.hasPrefix("error: new/store: No such file or directory"), "\(slip)")
        #expect(slip.error.contains(oracle) && slip.error.contains("--work-dir"), "\(slip)")
        #expect(!FileManager.default.fileExists(atPath: temporary.path + "/new"))
    }

    @Test(arguments: ["engine", "sqlite"])
    func `several clients with batches are judged, and go on where they stopped`(target: String) throws {
        defer { removeMemory() }
        for round in 1...2 {
            let done = try work(target, "--ops", "60", "--threads", "4", "--batch", "3", "--keys", "50")
            #expect(done.status == 0 && done.output.contains("done: 60 operations acknowledged"), "\(done)")
            let answer = try judge(target, "--contract", "transactional")
            #expect(answer.status == 0 && answer.output.contains("dropped 0, in flight 0"), "\(round): \(answer)")
        }
        #expect(try lines().filter { $0.contains("restart") }.count == 1)
        #expect(try lines().contains { $0.contains("\"seq\":120,") })
    }

    @Test func `the same seed does the same, byte for byte, in each client`() throws {
        defer { removeMemory() }
        func clients() throws -> [[String]] {
            try? FileManager.default.removeItem(atPath: oracle)
            try? FileManager.default.removeItem(atPath: store)
            try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: false)
            let done = try work("engine", "--ops", "90", "--threads", "3", "--seed", "7", "--value-len", "20")
            #expect(done.status == 0)
            let payloads = try lines().filter { $0.contains("begin") && $0.contains("put") }.map { line in
                let base64 = line.split(separator: "\"payload\":\"").last!.prefix { $0 != "\"" }
                return String(decoding: Data(base64Encoded: String(base64))!, as: Unicode.ASCII.self)
            }
            #expect(payloads.allSatisfy { $0.count == 20 })
            return (0..<3).map { client in payloads.filter { $0.hasPrefix("\(client).") } }
        }
        let first = try clients()
        #expect(first.allSatisfy { $0.count > 20 })
        #expect(try clients() == first)
    }

    @Test func `a store that lost what it promised is found, key by key`() throws {
        defer { removeMemory() }
        #expect(try work("engine", "--ops", "50").status == 0)
        try FileManager.default.removeItem(atPath: store)
        try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: false)
        let answer = try judge("engine")
        #expect(answer.status == 1)
        #expect(answer.output.contains("broken: durable, ") && answer.output.contains("found no key"), "\(answer)")
        #expect(answer.output.contains("observed live 0, oracle live "))
        // Under `prefix` a lost tail is counted, not failed.
        let prefix = try judge("engine", "--contract", "prefix")
        #expect(prefix.status == 0 && !prefix.output.contains("dropped 0,"), "\(prefix)")
        let json = try judge("engine", "--json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "violation")
        #expect((object["totals"] as? [String: Int])?["survived"] == 0)
    }

    @Test func `a sample compares so many values and finds every missing key`() throws {
        defer { removeMemory() }
        #expect(try work("sqlite", "--ops", "80").status == 0)
        let good = try judge("sqlite", "--sample", "5")
        #expect(good.status == 0 && good.output.contains("values compared: 5 of "), "\(good)")
        // Another value for each key, and one key more: the values are looked at for five of them.
        var text = try lines()
        for index in text.indices where text[index].contains("\"op\":\"put\"") {
            text[index] = text[index].replacing("\"payload\":\"", with: "\"payload\":\"AAAA")
        }
        try (text.joined(separator: "\n") + "\n").write(toFile: oracle, atomically: true, encoding: .utf8)
        let five = try judge("sqlite", "--sample", "5")
        #expect(five.status == 1 && five.output.contains("mismatches 5"), "\(five)")
        try #"{"op":"put","seq":1,"key":"bWlzc2luZw==","payload":""}"#.appending("\n")
            .write(toFile: oracle, atomically: true, encoding: .utf8)
        let missing = try judge("sqlite", "--sample", "5", "--in-flight", "0")
        #expect(missing.status == 1 && missing.output.contains("key missing: expected 0 bytes"), "\(missing)")
    }

    /// Written by another tool: acknowledgements alone, from 0, with gaps.
    @Test func `an oracle without intents is read as it is`() throws {
        defer { removeMemory() }
        let fixture = """
            {"op":"put","seq":0,"key":"YQ==","payload":"MQ=="}
            {"op":"put","seq":3,"key":"Yg==","payload":"Mg=="}
            {"op":"del","seq":9,"key":"YQ=="}

            """
        try fixture.write(toFile: oracle, atomically: true, encoding: .utf8)
        for arguments in [["put", "b", "2"], ["put", "a", "1"], ["delete", "a"]] {
            let answer = try Faultline.run(
                ["store", arguments[0], store] + arguments.dropFirst(), directory: temporary.path)
            #expect(answer.status == 0, "\(answer)")
        }
        let answer = try judge("engine")
        #expect(answer.status == 0 && answer.output.contains("oracle: 3 lines"), "\(answer)")
    }

    @Test(arguments: [
        ("{\"op\":\"put\",\"seq\":1,\"key\":\"YQ==\",\"payload\":\"MQ=", Int32(3), "of which 1 torn"),
        ("{\"op\":\"put\",\"seq\":5,\"key\":\"YQ==\",\"payload\":\"\"}\n", 2, "line 1: seq 5: "),
        ("{\"op\":\"pat\"}\n", 2, "line 1, column 8: expected \"put\", \"del\" or \"restart\", found \"pat\""),
    ])
    func `damage has its line`(_ text: String, _ status: Int32, _ says: String) throws {
        defer { removeMemory() }
        try text.write(toFile: oracle, atomically: true, encoding: .utf8)
        let answer = try judge("engine")
        #expect(answer.status == status && (answer.output + answer.error).contains(says), "\(answer)")
        guard status == 2 else { return }
        let work = try work("engine", "--ops", "1")
        #expect(work.status == 2 && work.error.contains(says), "\(work)")
    }

    @Test(arguments: [
        ([], "give --ops, --duration, or both"), (["--ops", "0"], "--ops must be from 1"),
        (["--ops", "1", "--key-len", "513"], "--key-len must be from 1 to 512"),
        (["--ops", "1", "--value-len", "65537"], "--value-len must be from 1 to 65536"),
        (["--ops", "1", "--threads", "0"], "--threads must be from 1 to 256"),
        (["--duration", "0"], "'0' is invalid for '--duration"),
        (["--ops", "1", "--set", "colour=red"], "has no parameter"),
    ])
    func `limits are checked before anything is done`(_ arguments: [String], _ says: String) throws {
        defer { removeMemory() }
        let answer = try Faultline.run(
            ["workload", "--target", "engine", "--work-dir", store, "--oracle", oracle] + arguments,
            directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains(says), "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: oracle))
    }

    @Test func `an oracle on the storage under test is refused unless it is told`() throws {
        defer { removeMemory() }
        let beside = temporary.path + "/oracle"
        let arguments = ["workload", "--target", "engine", "--work-dir", store, "--oracle", beside, "--ops", "3"]
        let refused = try Faultline.run(arguments, directory: temporary.path)
        #expect(refused.status == 2 && refused.error.contains("same filesystem"), "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: beside))
        let told = try Faultline.run(arguments + ["--allow-same-filesystem"], directory: temporary.path)
        #expect(told.status == 0, "\(told)")
        // Whatever drives the store, and whether it looks or not.
        let manifest = "name: x\ndescription: x\nworkload: [/bin/true]\nrecover: [/bin/true]\n"
        try manifest.write(toFile: temporary.path + "/x.yaml", atomically: true, encoding: .utf8)
        let other = try Faultline.run(
            ["workload", "--target", "x.yaml"] + arguments.dropFirst(3), directory: temporary.path)
        #expect(other.status == 2 && other.error.contains("same filesystem"), "\(other)")
    }

    @Test func `what is no file and no directory is refused, and not waited for`() throws {
        defer { removeMemory() }
        #expect(mkfifo(oracle, 0o600) == 0)
        for answer in [try work("engine", "--ops", "3"), try judge("engine")] {
            #expect(answer.status == 2 && answer.error.contains("\(oracle): not a regular file"), "\(answer)")
        }
        try FileManager.default.removeItem(atPath: oracle)
        let line = #"{"op":"put","seq":1,"key":"aw==","payload":"dg=="}"# + "\n"
        try line.write(toFile: oracle, atomically: true, encoding: .utf8)
        try FileManager.default.removeItem(atPath: store)
        // A store that is not there, of which the oracle knows, is a slip of the caller, not a violation.
        for answer in [try work("engine", "--ops", "3"), try judge("engine")] {
            #expect(answer.status == 2 && answer.error.contains("No such file or directory"), "\(answer)")
        }
    }

    @Test func `a duration ends the work`() throws {
        defer { removeMemory() }
        let answer = try work("engine", "--duration", "1", "--threads", "2")
        #expect(answer.status == 0 && answer.output.hasPrefix("done: "), "\(answer)")
        #expect(try judge("engine", "--contract", "durable").status == 0)
    }
}
