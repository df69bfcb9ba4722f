import Foundation
import Testing

/// The fix loop: a case, a fix, and a run that says whether the cause is gone.
@Suite(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython)) struct RecheckTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "harness/targets/jsonlog.py")

    /// The example store, which syncs or not, whatever it is told.
    private func writeStore(syncs: Bool) throws {
        let example = try String(contentsOf: Self.example, encoding: .utf8)
        let store = example.replacing(#""--sync=none" not in sys.argv"#, with: syncs ? "True" : "False")
        try #require(store != example)
        try store.write(toFile: temporary.path + "/store.py", atomically: true, encoding: .utf8)
        let library = Self.example.deletingLastPathComponent().appending(path: "lib").path
        if !FileManager.default.fileExists(atPath: temporary.path + "/lib") {
            try FileManager.default.copyItem(atPath: library, toPath: temporary.path + "/lib")
        }
        let manifest = """
            name: log
            description: a log of JSON lines
            workload: [/usr/bin/env, python3, store.py, workload]
            recover: [/usr/bin/env, python3, store.py, recover]
            persistent: true
            """
        try manifest.write(toFile: temporary.path + "/log.yaml", atomically: true, encoding: .utf8)
    }

    private func run(_ words: [String]) throws -> Faultline.Answer {
        try Faultline.run(words, directory: temporary.path)
    }

    /// Pastes the command that a finding prints for after a fix, from another directory.
    private func recheck(_ answer: Faultline.Answer) throws -> Faultline.Answer {
        let line = try #require(
            answer.output.split(separator: "\n").first { $0.contains("after a fix: ") }, "\(answer)")
        let command = line[line.range(of: "after a fix: ")!.upperBound...]
        return try Faultline.run(
            ["-c", "\(command) --out \(temporary.path)/again"], directory: "/", of: "/bin/sh")
    }

    @Test(arguments: [
        ["explore", "log.yaml", "--ops", "8"],
        ["run", "log.yaml", "--scenario", "power-cut", "--ops", "20", "--cycles", "1"],
    ])
    func `a fix on the write side turns recheck green, and not replay`(words: [String]) throws {
        try writeStore(syncs: false)
        let found = try run(words)
        #expect(found.status == 1, "\(found)")
        let same = try recheck(found)
        #expect(same.status == 1 && same.output.hasPrefix("shows again  durable"), "\(same)")
        try writeStore(syncs: true)
        let gone = try recheck(found)
        #expect(gone.status == 0 && gone.output.hasPrefix("gone  durable"), "\(gone)")
        let replay = try #require(found.output.split(separator: "\n").first { $0.contains(" replay ") })
        #expect(try Faultline.run(["-c", String(replay)], directory: "/", of: "/bin/sh").status == 1)
    }

    @Test func `merge prints commands that work where it is called, and tells one cause once`() throws {
        try writeStore(syncs: false)
        let text = "cells: [{target: log.yaml, scenario: [explore, power-cut], ops: 8, cycles: 0}]"
        try text.write(toFile: temporary.path + "/m.yaml", atomically: true, encoding: .utf8)
        #expect(try run(["matrix", "m.yaml", "--out", "runs"]).status == 1)
        let merged = try Faultline.run(["merge", temporary.path + "/runs/matrix-1.jsonl"], directory: "/")
        #expect(merged.status == 1, "\(merged)")
        let stories = merged.output.split(separator: "\n").filter { $0.contains("──── power cut ") }
        #expect(stories.count == 1 && merged.output.contains("shown by power-cut, seed 1, too"), "\(merged.output)")
        let line = try #require(merged.output.split(separator: "\n").first { $0.contains(" replay ") })
        #expect(try Faultline.run(["-c", String(line)], directory: "/", of: "/bin/sh").status == 1, "\(line)")
        #expect(try recheck(merged).status == 1)
        // Moved away, the results name no place of the machine that made them.
        let log = try String(contentsOfFile: temporary.path + "/runs/matrix-1.jsonl", encoding: .utf8)
        #expect(!log.contains(temporary.path))
    }

    @Test func `a run that can't get there is inconclusive, and a case that does not say how is refused`() throws {
        try writeStore(syncs: false)
        #expect(try run(["explore", "log.yaml", "--ops", "8", "--states", "40"]).status == 1)
        let directory = temporary.path + "/faultline-runs/faultline-log-explore-1-1/cases/1"
        // The driver now acknowledges nothing.
        let store = try String(contentsOfFile: temporary.path + "/store.py", encoding: .utf8)
        let idle = store.replacing(
            "drive(Store)", with: "if sys.argv[1] != 'recover': os.environ['FAULTLINE_OPS'] = '0'\ndrive(Store)")
        try #require(idle != store)
        try idle.write(toFile: temporary.path + "/store.py", atomically: true, encoding: .utf8)
        let answer = try run(["recheck", directory, "--target", "log.yaml"])
        #expect(answer.status == 3 && answer.output.hasPrefix("not known  durable"), "\(answer)")
        let path = directory + "/case.json"
        let text = try Data(contentsOf: URL(filePath: path))
        var object = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        object["run"] = nil
        try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: path))
        let old = try run(["recheck", directory, "--target", "log.yaml"])
        #expect(old.status == 2 && old.error.contains("case.json"), "\(old)")
    }

    @Test(arguments: [
        ("operationCount", "1000001"), ("threadCount", "0"), ("threadCount", "2"), ("profile", #""block""#),
        ("cycles", "-1"),
        ("contract", #""none""#), ("rules", #"["any -> crash"]"#), ("cutAims", #"["here"]"#), ("valueBytes", "0"),
        ("scenario", #""else""#),
    ])
    func `a plan from elsewhere is checked`(field: String, value: String) throws {
        #expect(try run(["explore", "engine", "--ops", "5", "--set", "planted=never-sync"]).status == 1)
        let directory = temporary.path + "/faultline-runs/faultline-engine-explore-1-1/cases/1"
        let path = URL(filePath: directory + "/case.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        var plan = try #require(object["run"] as? [String: Any])
        plan[field] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        object["run"] = plan
        try JSONSerialization.data(withJSONObject: object).write(to: path)
        let answer = try run(["recheck", directory])
        #expect(answer.status == 2, "\(answer)")
    }
}
