import Engine
import Schedules
import Testing

@testable import Interleavings

/// The scenarios pass, and fail with bugs. `faultline schedules` explores them deeper; here is what is quick in a debug build.
@Suite struct ScheduleTestsTests {
    @Test(arguments: ScheduleTests.all.map(\.name))
    func `a scenario passes under all schedules with one preemption or surprise`(name: String) throws {
        let test = try #require(ScheduleTests.named(name))
        let result = try test.explore(ScheduleExplorer(), depth: .within(1))
        #expect(result.failure == nil, "\(result.failure?.kind.description ?? "")")
        #expect(result.isComplete)
        #expect(result.scheduleCount > 1)
        let crashes = try #require(result.crashes)
        #expect(crashes.boundedPoints == 0)
        #expect(crashes.crashPoints > 0 && crashes.recovered > 0)
    }

    @Test(arguments: ["append", "truncate-before", "reader"])
    func `a small scenario passes under all schedules`(name: String) throws {
        let test = try #require(ScheduleTests.named(name))
        #expect(test.depth == .all)
        let result = try test.explore(ScheduleExplorer())
        #expect(result.failure == nil, "\(result.failure?.kind.description ?? "")")
        #expect(result.parts.allSatisfy { $0.report.coverage == .all })
    }

    @Test func `names are distinct, and every summary is one line`() {
        let tests = ScheduleTests.all
        #expect(Set(tests.map(\.name)).count == tests.count)
        for test in tests { #expect(!test.summary.contains("\n") && test.summary.count < 120) }
    }

    @Test func `equal explorations give equal results`() throws {
        let test = try #require(ScheduleTests.named("truncate-before"))
        let results = try (0..<2).map { _ in try test.explore(ScheduleExplorer()) }
        #expect(results[0].scheduleCount == results[1].scheduleCount)
        #expect(results[0].stepCount == results[1].stepCount)
        #expect(results[0].crashes == results[1].crashes)
    }
}
