import Bytes
import Foundation
import Oracle
import Targets
import Testing

@testable import Matrices

/// Matrices from the command line, with cells that need nothing of the machine.
@Suite struct MatrixCommandTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func write(_ text: String, _ name: String = "m.yaml") throws {
        try text.write(toFile: temporary.path + "/" + name, atomically: true, encoding: .utf8)
    }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func cells(_ text: String) throws -> [[String: Any]] {
        try #require(try object(text)["cells"] as? [[String: Any]])
    }

    private static let small = """
        cells:
          - target: [engine, sqlite]
            scenario: smoke
            seed: 1-2
            ops: 10
          - target: engine
            set: {planted: delete-unlogged}
            scenario: smoke
            ops: 60
            expect: violation
            reason: planted
        """

    @Test func `a finding that is known is told with its reason, and the cell passes`() throws {
        let cell = """
            cells:
              - target: engine
                set: {planted: delete-unlogged}
                scenario: explore
                profile: strict
                ops: 40
                known:
                  - {check: CHECK, loss: [], reason: deletes are forgotten}
                  - {check: opens, error: "bad *", reason: mended long ago}
            """
        try write(cell.replacing("CHECK", with: "no-resurrection"))
        let answer = try Faultline.run(
            ["matrix", "m.yaml", "--junit", "j.xml", "--github-summary"], directory: temporary.path,
            environment: ["GITHUB_STEP_SUMMARY": temporary.path + "/s.md"])
        #expect(answer.status == 0, "\(answer.output) \(answer.error)")
        let reports = try ["j.xml", "s.md"].map {
            try String(contentsOfFile: temporary.path + "/" + $0, encoding: .utf8)
        }
        for text in reports + [answer.output] {
            #expect(text.contains("pass apart from 1 known finding"), "\(text)")
            #expect(text.contains("deletes are forgotten") && text.contains("mended long ago"), "\(text)")
        }
        let json = try cells(try run("matrix", "m.yaml", "--json").output)
        let known = json.first?["known"] as? [[String: Any]]
        #expect(known?.map { $0["findings"] as? Int } == [1, 0])
        try write(cell.replacing("CHECK", with: "durable"))
        #expect(try run("matrix", "m.yaml").status == 1)
    }

    @Test func `lists multiply, and each cell says whether it came out as expected`() throws {
        try write(Self.small)
        let answer = try run("matrix", "m.yaml", "--json", "--junit", "j.xml")
        #expect(answer.status == 0, "\(answer.error)")
        let cells = try cells(answer.output)
        #expect(cells.count == 5)
        #expect(cells.allSatisfy { $0["expected"] as? Bool == true })
        #expect(cells.compactMap { $0["expectation"] as? String }.filter { $0 == "violation" }.count == 1)
        #expect(try object(answer.output)["verdict"] as? String == "pass")
        let junit = try String(contentsOfFile: temporary.path + "/j.xml", encoding: .utf8)
        #expect(junit.contains(#"tests="5" failures="0" skipped="0""#), "\(junit)")
        #expect(junit.split(separator: "<testcase ").count == 6 && junit.hasSuffix("</testsuite>\n"))
        // No terminal: a line for each cell, in the order in which they finish.
        let lines = answer.error.split(separator: "\n")
        #expect(lines.map { String($0.prefix(8)) } == (1...5).map { "\($0) of 5  " }, "\(answer.error)")
        #expect(lines.count { $0.contains("pass  ") } == 4)
        #expect(lines.count { $0.contains("violation (expected)  ") && $0.hasSuffix(": planted") } == 1)
    }

    @Test(arguments: ["violation", "pass"])
    func `JUnit holds each story once, why it is expected, the replay and where the case lies`(expected: String) throws
    {
        try write(
            """
            cells:
              - target: engine
                set: {planted: ack-before-sync}
                scenario: explore
                ops: 5
                expect: \(expected)
                reason: the sync is missing
            """)
        let answer = try run("matrix", "m.yaml", "--junit", "j.xml")
        #expect(answer.status == (expected == "violation" ? 0 : 1))
        let junit = try String(contentsOfFile: temporary.path + "/j.xml", encoding: .utf8)
        for once in ["power cut after event", "faultline replay ", "case of finding 1: ", "the sync is missing"] {
            #expect(junit.components(separatedBy: once).count == 2, "\(once) in \(junit)")
        }
        let place = try #require(junit.firstMatch(of: /case of finding 1: (.+)\n/)?.1)
        #expect(FileManager.default.fileExists(atPath: String(place) + "/case.json"), "\(place)")
    }

    @Test func `what is not as expected fails the matrix, and stops it if it is told`() throws {
        try write(
            """
            cells:
              - {target: engine, scenario: smoke, set: {planted: delete-unlogged}, ops: 60}
              - {target: sqlite, scenario: smoke, ops: 5}
            """)
        let answer = try run("matrix", "m.yaml", "--junit", "j.xml")
        #expect(answer.status == 1 && answer.output.contains("1 of 2 cells came out as expected"), "\(answer)")
        let junit = try String(contentsOfFile: temporary.path + "/j.xml", encoding: .utf8)
        #expect(junit.contains(#"failures="1""#) && junit.contains("expected pass, found violation"))
        let fast = try run("matrix", "m.yaml", "--fail-fast", "--jobs", "1", "--json")
        #expect(try fast.status == 1 && cells(fast.output).count == 1, "\(fast)")
    }

    @Test func `a planted bug that is not found is an error of the harness`() throws {
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5, expect: violation}\n")
        #expect(try run("matrix", "m.yaml").status == 2)
    }

    @Test func `shards are put together again, and nothing else is`() throws {
        try write(Self.small)
        for shard in 1...3 { #expect(try run("matrix", "m.yaml", "--shard", "\(shard)/3").status == 0) }
        let files = (1...3).map { "faultline-runs/matrix-\($0).jsonl" }
        let merged = try Faultline.run(["merge"] + files + ["--json"], directory: temporary.path)
        #expect(try merged.status == 0 && cells(merged.output).count == 5, "\(merged)")
        #expect(try run("merge", files[0], files[1]).error.contains("shards are missing: 3/3"))
        #expect(try run("merge", files[0], files[0], files[1]).error.contains("are both shard 1/3"))
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5}\n")
        #expect(try run("matrix", "m.yaml").status == 0)
        let other = try run("merge", files[0], "faultline-runs/matrix-4.jsonl")
        #expect(other.status == 2 && other.error.contains("are of different matrices"), "\(other)")
    }

    @Test func `against an earlier matrix, each report says what changed`() throws {
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5, seed: 1-2}\n")
        #expect(try run("matrix", "m.yaml").status == 0)
        try write(
            """
            cells:
              - {target: engine, scenario: smoke, ops: 5, seed: 2, expect: violation}
              - {target: engine, scenario: smoke, ops: 5, seed: 3}
            """)
        let log = "faultline-runs/matrix-1.jsonl"
        let reports = ["markdown=m.md", "html=m.html", "json=m.json"].flatMap { ["--report", $0] }
        let answer = try Faultline.run(
            ["matrix", "m.yaml", "--against", log] + reports, directory: temporary.path)
        let whole = "against \(log): 1 cell compared, 1 worse, 0 better, 1 new, 1 gone"
        let change = "was as expected: engine planted=none"
        #expect(answer.status == 2 && answer.output.contains(whole) && answer.output.contains(change), "\(answer)")
        func report(_ name: String) throws -> String {
            try String(contentsOfFile: temporary.path + "/" + name, encoding: .utf8)
        }
        #expect(
            try report("m.md").contains("1 cell compared, 1 worse")
                && report("m.md").contains("was as expected: engine"))
        #expect(try report("m.html").contains("Against \(log)") && report("m.html").contains("was as expected"))
        let object = try JSONSerialization.jsonObject(with: Data(report("m.json").utf8)) as? [String: Any]
        let against = try #require(object?["against"] as? [String: Any])
        #expect(against["worse"] as? Int == 1 && against["new"] as? Int == 1 && against["gone"] as? Int == 1)
        // A log that cannot be compared with is an error before anything runs, and no report replaces it.
        for words in [
            ["--against", "m.yaml"], ["--against", "none.jsonl"], ["--against", log, "--report", "json=\(log)"],
        ] {
            let refused = try Faultline.run(["matrix", "m.yaml"] + words, directory: temporary.path)
            #expect(
                refused.status == 2 && refused.error.contains(words.last!.split(separator: "=").last!), "\(refused)")
            #expect(!refused.output.contains("cells"), "\(refused)")
        }
        let merged = try run("merge", "faultline-runs/matrix-2.jsonl", "--against", log)
        #expect(merged.status == 2 && merged.output.contains(whole), "\(merged)")
    }

    @Test func `an interrupted matrix goes on where it stopped`() throws {
        try write(Self.small)
        #expect(try run("matrix", "m.yaml").status == 0)
        let path = temporary.path + "/faultline-runs/matrix-1.jsonl"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 6)
        // Two cells are finished, and the third was being written down.
        let cut = lines[..<3].joined(separator: "\n") + "\n" + lines[3].prefix(40)
        try cut.write(toFile: path, atomically: true, encoding: .utf8)
        let before = try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/faultline-runs").count
        let answer = try run("matrix", "m.yaml", "--resume", "faultline-runs/matrix-1.jsonl", "--json")
        #expect(try answer.status == 0 && cells(answer.output).count == 5, "\(answer)")
        let after = try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/faultline-runs").count
        #expect(after - before == 3)
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 6)
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5}\n")
        let changed = try run("matrix", "m.yaml", "--resume", "faultline-runs/matrix-1.jsonl")
        #expect(changed.status == 2 && changed.error.contains("is of another matrix"), "\(changed)")
    }

    @Test func `a cell that the machine was at fault for is run again`() throws {
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5, seed: 1-3}\n")
        #expect(try run("matrix", "m.yaml").status == 0)
        let path = temporary.path + "/faultline-runs/matrix-1.jsonl"
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        let failed = lines[2].replacing(#""verdict":"pass""#, with: #""verdict":"harness error""#)
        #expect(failed != lines[2], "\(lines[2])")
        lines[2] = failed
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let answer = try run("matrix", "m.yaml", "--resume", "faultline-runs/matrix-1.jsonl", "--json")
        #expect(try answer.status == 0 && cells(answer.output).count == 3, "\(answer)")
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 5)
    }

    @Test func `runs that came out alike are one line, and those that did not are another`() throws {
        try write(
            """
            cells:
              - {target: engine, scenario: smoke, seed: 1-3, ops: 5}
              - {target: engine, scenario: smoke, seed: 4-5, ops: 60, set: {planted: delete-unlogged}}
            """)
        let answer = try run("matrix", "m.yaml")
        let lines = answer.output.split(separator: "\n").prefix(3).map { $0.split(separator: " ") }
        #expect(lines[1].contains("smoke") && lines[1].contains("3") && lines[1].first == "pass", "\(answer.output)")
        #expect(lines[2].contains("2") && lines[2].first == "violation", "\(answer.output)")
        #expect(answer.status == 1 && answer.output.contains("3 of 5 cells"), "\(answer.output)")
    }

    @Test func `what is kept names no place, and is found again by whoever reads it`() throws {
        try write(
            """
            cells:
              - target: engine
                scenario: kill
                set: {planted: delete-unlogged}
                ops: 60
                cycles: 1
                kill_at_ack: 7
                expect: violation
            """)
        #expect(try run("matrix", "m.yaml").status == 0)
        let runs = temporary.path + "/faultline-runs"
        let name = "faultline-engine-kill-1-1"
        for file in ["matrix-1.jsonl", "\(name)/result.json", "\(name)/cases/1/case.json", "\(name)/run.json"] {
            let text = try String(contentsOfFile: "\(runs)/\(file)", encoding: .utf8)
            #expect(!text.contains(temporary.path) && !text.contains(ProcessInfo.processInfo.hostName), "\(file)")
            #expect(!file.hasPrefix("matrix") || text.contains("faultline replay \(name)/cases/1"), "\(text)")
            #expect(!file.hasPrefix("matrix") || text.contains("--kill-at-ack 7"), "\(text)")
        }
        let again = try run("matrix", "m.yaml", "--resume", "faultline-runs/matrix-1.jsonl", "--json")
        let findings = try #require(try cells(again.output)[0]["findings"] as? [[String: Any]])
        let directory = try #require(findings[0]["case"] as? String)
        #expect(directory == "\(runs)/\(name)/cases/1")
        #expect((findings[0]["replay"] as? String)?.hasSuffix("replay \(directory)") == true)
        #expect(try run("replay", directory).status == 1)
    }

    @Test func `a soak goes on with other seeds until its time is up`() throws {
        try write("cells:\n  - {target: engine, scenario: smoke, ops: 5, seed: 7}\n")
        let answer = try run("matrix", "m.yaml", "--duration", "1s", "--json")
        let seeds = try cells(answer.output).compactMap { $0["seed"] as? Int }
        #expect(answer.status == 0 && seeds.count > 1 && seeds == Array(7..<7 + seeds.count), "\(seeds)")
    }

    @Test func `a budget that is used up leaves the rest, and says how to go on`() throws {
        try write("cells:\n  - {target: sqlite, scenario: kill, ops: 150, seed: 1-40}\n")
        let answer = try run("matrix", "m.yaml", "--budget", "1s", "--jobs", "1")
        #expect(answer.status == 3 && answer.output.contains("not begun: the budget was used up"), "\(answer)")
        // Nothing is missing on this machine.
        #expect(!answer.output.contains("SKIPPED") && !answer.output.contains("doctor"), "\(answer)")
        let command = "matrix m.yaml --budget 1s --jobs 1 --resume faultline-runs/matrix-1.jsonl"
        #expect(answer.error.contains(command), "\(answer)")
    }

    static let refused: [(text: String, error: String)] = [
        ("cells: []", "m.yaml:1: a matrix needs at least one cell"),
        (
            "cells:\n  - {target: engine, scenario: kill, cut_at: unlink}",
            "m.yaml:2: cut_at is for scenario: power-cut"
        ),
        (
            "cells:\n  - {target: engine, scenario: explore, expect: violation, loss: the journal}",
            "m.yaml:2: loss is a kind of change and a path"
        ),
        (
            "cells:\n  - {target: engine, scenario: power-cut, cut_at: [unlink, moon]}",
            "m.yaml:2: cut_at: 'moon' is none of work, create"
        ),
        ("cells:\n  - {target: engine, scenario: smoke, threads: 0}", "m.yaml:2: threads"),
        ("cells:\n  - {target: engine, scenario: explore, budget: 5x}", "m.yaml:2: budget is a time"),
        ("cels: []", "m.yaml:1: a matrix has no key cels; did you mean cells?"),
        ("cells:\n  - {target: engine}", "m.yaml:2: a cell needs a key scenario"),
        ("cells:\n  - {target: engin, scenario: smoke}", "m.yaml:2: unknown target engin"),
        ("cells:\n  - {target: engine, scenario: smok}", "m.yaml:2: scenario cannot be smok; did you mean smoke?"),
        ("cells:\n  - {target: engine, scenario: smoke, seed: x}", "m.yaml:2: a seed is a number or a range"),
        ("cells:\n  - {target: engine, scenario: smoke, seed: 9-1}", "m.yaml:2: a seed is a number or a range"),
        ("cells:\n  - {target: engine, scenario: smoke, set: {a: 1}}", "m.yaml:2: target engine has no parameter a"),
        ("cells:\n  - {target: engine, scenario: [smoke, smoke]}", "this cell is there twice: engine"),
        (
            "cells:\n  - {target: engine, scenario: smoke, seed: 1-99999, ops: 5, profile: [xfs, btrfs]}",
            "more than 100000"
        ),
        (
            "cells:\n  - {target: engine, scenario: kill, ops: 5, kill_at_ack: 5}",
            "m.yaml:2: kill_at_ack must be a whole number from 1 to 4"
        ),
        ("cells:\n  - {target: ./none.yaml, scenario: smoke}", "none.yaml: No such file or directory"),
        ("cells:\n  - {target: engine, scenario: smoke, profile: block}", "m.yaml:2: profile cannot be block"),
    ]

    @Test(arguments: refused) func `a wrong matrix is refused with its line`(_ row: (text: String, error: String))
        throws
    {
        try write(row.text)
        let answer = try run("matrix", "m.yaml")
        #expect(answer.status == 2 && answer.error.contains(row.error), "\(answer)")
    }

    /// The installed program has the default matrix without the source tree.
    @Test func `the default matrix is the file in the tree`() throws {
        let tree = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "harness/matrices")
        let text = try Data(contentsOf: tree.appending(path: "default.yaml"))
        #expect(DefaultMatrix.text == Array(text))
        let defaults = MatrixFile.Defaults(seed: 1, profile: .ext4Ordered, operationCount: 100, cycles: nil)
        let catalog = TargetCatalog(driver: "/nowhere")
        for name in [
            "default.yaml", "smoke.yaml", "correct.yaml", "real-filesystems.yaml", "power-loss.yaml",
            "power-loss-record.yaml",
        ] {
            let path = ByteString(tree.appending(path: name).path)
            #expect(try MatrixFile.matrix(at: path, catalog, defaults).cells.count > 5, "\(name)")
        }
    }
}
