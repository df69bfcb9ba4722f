import Foundation
import Testing

/// `--progress` on the commands that work for long on a case, and on the schedules.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct ProgressOptionTests {
    private let temporary: TemporaryDirectory
    private let failing: String

    init() throws {
        temporary = try TemporaryDirectory()
        let answer = try Faultline.run(
            ["explore", "engine", "--set", "planted=ack-before-sync", "--ops", "4", "--out", "runs"],
            directory: temporary.path)
        try #require(answer.status == 1, "\(answer)")
        let run = try #require(try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/runs").first)
        failing = "runs/\(run)/cases/1"
    }

    private func errorLines(_ words: [String]) throws -> [String] {
        let answer = try Faultline.run(
            words, directory: temporary.path, environment: ["FAULTLINE_RUNS": temporary.path + "/again"])
        #expect(answer.status < 2, "\(answer)")
        return answer.error.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [["recheck"], ["minimise"], ["schedules", "append", "--no-crashes"]])
    func `programs read objects, or nothing`(words: [String]) throws {
        let words = words + (words[0] == "schedules" ? [] : [failing])
        let lines = try errorLines(words + ["--progress", "json"])
        #expect(!lines.isEmpty)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["doing"] is String && object?["seconds"] is Double, "\(line)")
        }
        if words[0] == "minimise" {
            try FileManager.default.removeItem(atPath: temporary.path + "/" + failing + "-small")
        }
        #expect(try errorLines(words + ["--progress", "none"]) == [])
    }
}
