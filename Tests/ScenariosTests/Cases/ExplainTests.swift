import Foundation
import Testing

/// `explain`: which sync a case lacks.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct ExplainTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ words: [String]) throws -> Faultline.Answer {
        try Faultline.run(words, directory: temporary.path)
    }

    private static let buggy = ["engine", "--set", "planted=never-sync", "--out", "runs", "--ops", "12"]

    private func fix(in path: String) throws -> [String: Any]? {
        let data = try Data(contentsOf: URL(filePath: temporary.path + "/" + path))
        return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["fix"] as? [String: Any]
    }

    /// A case that does not say which sync is missing, because its run did not look for it.
    @Test func `the sync is searched in the case's trace, told, and kept`() throws {
        #expect(try run(["explore"] + Self.buggy + ["--no-fix"]).status == 1)
        let directory = "runs/faultline-engine-explore-1-1/cases/1"
        #expect(try fix(in: directory + "/case.json") == nil)
        #expect(try !run(["replay", directory]).output.contains("Missing:"))
        let answer = try run(["explain", directory, "--report", "json=explained.json"])
        #expect(answer.status == 1 && answer.output.contains("Missing: an fsync of"), "\(answer)")
        let kept = try #require(try fix(in: directory + "/case.json"))
        #expect(
            (kept["insertedCount"] as? Int ?? 0) > 0 && (kept["decidedCount"] as? Int ?? 0) > 0
                && kept["obstacle"] == nil)
        let json = try Data(contentsOf: URL(filePath: temporary.path + "/explained.json"))
        #expect(try JSONSchema("replay.json").problems(of: json) == [])
        #expect(try fix(in: "explained.json") as NSDictionary? == kept as NSDictionary)
        // The case now says it by itself.
        #expect(try run(["replay", directory]).output.contains("Missing: an fsync of"))
    }

    @Test func `an archive is explained, and stays as it is`() throws {
        #expect(try run(["explore"] + Self.buggy + ["--no-fix"]).status == 1)
        #expect(try run(["case", "export", "runs/faultline-engine-explore-1-1/cases/1", "-o", "case.tar"]).status == 0)
        let before = try Data(contentsOf: URL(filePath: temporary.path + "/case.tar"))
        let answer = try run(["explain", "case.tar"])
        #expect(answer.status == 1 && answer.output.contains("Missing: an fsync of"), "\(answer)")
        #expect(try Data(contentsOf: URL(filePath: temporary.path + "/case.tar")) == before)
    }

    @Test func `a killed process lacks no sync`() throws {
        let words = ["engine", "--set", "planted=delete-unlogged", "--out", "runs", "--ops", "100"]
        let found = try run(["run"] + words + ["--scenario", "kill", "--cycles", "6"])
        try #require(found.status == 1, "\(found)")
        let answer = try run(["explain", "runs/faultline-engine-kill-1-1/cases/1"])
        #expect(answer.status == 1 && answer.output.contains("a killed process loses nothing"), "\(answer)")
    }

    @Test func `what is no case is refused`() throws {
        #expect(try run(["explain", "nothing"]).status == 2)
        #expect(try run(["explain", "nothing", "--budget", "soon"]).status == 2)
    }
}
