import Exploration
import Foundation
import Model
import Oracle
import Testing

/// What the program prints as JSON is what docs/schemas say.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct SchemaTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    /// The object that a command reports. (It is the one of `--json`: see `ReportTests`.)
    private func object(_ arguments: [String], status: Int32) throws -> Data {
        let path = temporary.path + "/report.json"
        let answer = try Faultline.run(arguments + ["--report", "json=\(path)"], directory: temporary.path)
        #expect(answer.status == status, "\(answer)")
        return try Data(contentsOf: URL(filePath: path))
    }

    private static let buggy = ["engine", "--set", "planted=never-sync", "--out", "runs"]
    private static let `case` = "runs/faultline-engine-explore-1-1/cases/1"

    static let runs: [(words: [String], schema: String, status: Int32, needsFUSE: Bool)] = [
        (["run", "engine", "--scenario", "smoke", "--ops", "5", "--out", "runs"], "run.json", 0, false),
        (
            ["run", "engine", "--scenario", "kill", "--ops", "30", "--kill-at-ack", "5", "--out", "runs"], "run.json",
            0, false
        ),
        (["run"] + buggy + ["--scenario", "power-cut", "--ops", "12", "--cycles", "1"], "run.json", 1, true),
        (
            ["run"] + buggy + ["--scenario", "io-error", "--ops", "9", "--rule", "write nth=2 -> EIO"], "run.json", 0,
            true
        ),
        (
            ["soak", "engine", "--set", "planted=memory-leaked", "--life", "1000", "--out", "runs"], "run.json", 1, true
        ),
        (["explore"] + buggy + ["--ops", "4"], "explore.json", 1, false),
        (["explore"] + buggy + ["--ops", "4", "--profile", "all", "--states", "9"], "explore.json", 1, false),
        (["explore", "engine", "--ops", "3", "--depth", "2", "--writable", "--out", "runs"], "explore.json", 0, false),
    ]

    @Test(arguments: runs.filter { !$0.needsFUSE || TestMachine.hasFUSE })
    func `a run is as its schema says, and so is what its directory keeps`(
        words: [String], schema: String, status: Int32, needsFUSE: Bool
    ) throws {
        let json = try object(words, status: status)
        #expect(try JSONSchema(schema).problems(of: json) == [])
        let directory = try #require(
            (try JSONSerialization.jsonObject(with: json) as? [String: Any])?["directory"] as? String)
        let kept = try Data(contentsOf: URL(filePath: directory + "/result.json"))
        #expect(try JSONSchema(schema).problems(of: kept) == [])
    }

    @Test func `a replay is as its schema says`() throws {
        _ = try object(["explore"] + Self.buggy + ["--ops", "4"], status: 1)
        #expect(try JSONSchema("replay.json").problems(of: try object(["replay", Self.case], status: 1)) == [])
    }

    @Test(arguments: [
        (["append", "truncate-before"], "schedules.json", Int32(0)),
        (["append", "--limit", "3"], "schedules.json", 3),
        (["append", "--no-crashes", "--preemptions", "1"], "schedules.json", 0),
        (["append", "--planted", "number-doubled"], "schedules.json", 1),
        (["append", "--planted", "number-doubled", "--replay", "A2,B1"], "schedules-replay.json", 1),
        (["append", "--replay", "A2,B1"], "schedules-replay.json", 0),
    ])
    func `schedules are as their schema says`(words: [String], schema: String, status: Int32) throws {
        let answer = try Faultline.run(["schedules"] + words + ["--json"], directory: temporary.path)
        #expect(answer.status == status, "\(answer.error)")
        #expect(try JSONSchema(schema).problems(of: Data(answer.output.utf8)) == [])
    }

    @Test func `a matrix is as its schema says`() throws {
        let matrix = """
            known: [{check: durable, loss: write x, reason: an old bug}]
            cells:
              - {target: engine, scenario: [smoke, explore], ops: 4}
              - {target: engine, set: {planted: never-sync}, scenario: explore, ops: 4, expect: violation, reason: planted}
            """
        try Data(matrix.utf8).write(to: URL(filePath: temporary.path + "/m.yaml"))
        let json = try object(["matrix", "m.yaml", "--out", "runs"], status: 0)
        #expect(try JSONSchema("matrix.json").problems(of: json) == [])
    }

    /// The schema sees a field that is missing, that nobody described, and a word that is none of its words.
    @Test(arguments: [
        (#""verdict""#, #""verdikt""#, 2), (#""pass""#, #""perhaps""#, 1),
        (#""acknowledged" : "#, #""acknowledged" : -"#, 1),
        (#""exhaustive" : false"#, #""exhaustive" : 0"#, 1),
    ])
    func `what is not as the schema says is seen`(text: String, change: String, count: Int) throws {
        let json = try object(["run", "engine", "--scenario", "smoke", "--ops", "5", "--out", "runs"], status: 0)
        let changed = String(decoding: json, as: UTF8.self).replacing(text, with: change, maxReplacements: 1)
        #expect(try JSONSchema("run.json").problems(of: Data(changed.utf8)).count == count, "\(changed)")
    }

    /// A new check, profile or kind of fault is one more word of the schema.
    @Test(arguments: [
        ("check", Check.allCases.map(\.rawValue)), ("profile", Profile.allCases.map(\.rawValue)),
        ("verdict", Verdict.allCases.map(\.rawValue)), ("faultFamily", FaultFamilyName.allCases.map(\.rawValue)),
    ])
    func `the words of the schema are those of the code`(definition: String, words: [String]) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../../docs/schemas/common.json")
        let common = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
        let schema = (common?["$defs"] as? [String: [String: Any]])?[definition]
        #expect(Set(schema?["enum"] as? [String] ?? []) == Set(words))
    }

    @Test func `each list of profiles in a schema has them all`() throws {
        func lists(in value: Any) -> [[String]] {
            if let list = value as? [Any] { return list.flatMap { lists(in: $0) } }
            guard let object = value as? [String: Any] else { return [] }
            let own = (object["enum"] as? [String]).map { $0.contains(Profile.posixMin.rawValue) ? [$0] : [] } ?? []
            return own + object.values.flatMap { lists(in: $0) }
        }
        let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/schemas")
        let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        let found = try files.flatMap { lists(in: try JSONSerialization.jsonObject(with: Data(contentsOf: $0))) }
        #expect(found.count > 1)
        for list in found { #expect(Set(list).isSuperset(of: Profile.allCases.map(\.rawValue)), "\(list)") }
    }
}
