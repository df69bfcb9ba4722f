import Foundation
import Interleavings
import Testing

/// `faultline schedules`, as a user types it.
@Suite(.enabled(if: Faultline.path != nil)) struct SchedulesCommandTests {
    @Test func `a scenario passes with one line`() throws {
        let answer = try Faultline.run(["schedules", "append"])
        #expect(answer.status == 0, "\(answer.error)")
        let lines = answer.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("pass") == true && lines.last?.contains("all, with surprises") == true)
    }

    @Test func `a planted bug is a violation, and its printed schedule replays it`() throws {
        let found = try Faultline.run(["schedules", "append", "--planted", "number-doubled", "--json"])
        #expect(found.status == 1, "\(found.error)")
        let object = try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any]
        let scenario = try #require((object?["scenarios"] as? [[String: Any]])?.first)
        #expect(scenario["verdict"] as? String == "violation")
        let failure = try #require(scenario["failure"] as? [String: Any])
        let schedule = try #require(failure["schedule"] as? String)
        let words = ["schedules", "append", "--planted", "number-doubled", "--replay", schedule]
        let again = try Faultline.run(words)
        #expect(again.status == 1)
        #expect(again.output.contains("store reservation"))
        #expect(try Faultline.run(["schedules", "append", "--replay", schedule]).status == 0)
    }

    @Test func `a limit is inconclusive`() throws {
        #expect(try Faultline.run(["schedules", "append", "--limit", "3"]).status == 3)
    }

    @Test(arguments: [
        ["none"], ["append", "--planted", "none"], ["--replay", "A1"], ["append", "--replay", "1A"],
        ["append", "--replay", "A90"], ["append", "--preemptions", "-1"], ["append", "--limit", "0"],
        ["append", "--preemptions", "1", "--surprises"],
    ])
    func `wrong usage is an error`(words: [String]) throws {
        let answer = try Faultline.run(["schedules"] + words)
        #expect(answer.status == 2)
        #expect(answer.error.hasPrefix("error: "))
    }

    @Test func `the list names every scenario`() throws {
        let answer = try Faultline.run(["schedules", "--list"])
        #expect(answer.status == 0)
        for test in ScheduleTests.all { #expect(answer.output.contains("\(test.name): \(test.summary)\n")) }
    }
}
