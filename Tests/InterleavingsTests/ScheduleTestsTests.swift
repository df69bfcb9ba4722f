import Engine
import Schedules
import Testing

@testable import Interleavings

/// The scenarios pass, and fail with bugs. `faultline schedules` explores them deeper; here is what is quick in a debug build.
@Suite struct ScheduleTestsTests {
    @Test(arguments: ScheduleTests.all.map(\.name))
    func `a scenario passes under all schedules with one preemption or surprise`(name: String) throws {
        let test = try #require(ScheduleTests.named(name))
        let result = try test.explore(ScheduleExplorer(), depth: test.hasPool ? .deviations(1) : .within(1))
        #expect(result.failure == nil, "\(result.failure?.kind.description ?? "")")
        #expect(result.isComplete)
        #expect(result.scheduleCount > 1)
        if test.hasPool { return }
        let crashes = try #require(result.crashes)
        #expect(crashes.boundedPoints == 0)
        #expect(crashes.crashPoints > 0 && crashes.recovered > 0)
    }

    /// Where threads may wait for a stopped one is what they do wait for: nothing is allowed that does not happen.
    @Test(arguments: Self.waits.keys.sorted())
    func `the threads beside a stopped one end, or wait where the scenario says`(name: String) throws {
        let test = try #require(ScheduleTests.named(name))
        let result = try test.explore(ScheduleExplorer(), depth: .stops(within: 1), checksCrashes: false)
        #expect(result.failure == nil, "\(result.failure?.kind.description ?? "")")
        let report = try #require(result.parts.first).report
        #expect(report.stopCount > 8)
        let waits = try #require(Self.waits[name])
        #expect(report.waits == waits)
    }

    private static let writeGate = SchedulePlace.gate("write gate")
    private static let waits: [String: Set<ScheduleWait.Site>] = [
        "append": [],
        "append-beside-sync": [.init(1, .loop)],
        "truncate-before": [.init(0, writeGate), .init(1, writeGate)],
    ]

    @Test(arguments: ["append", "truncate-before", "truncate-twice", "reader"])
    func `a small scenario passes under all schedules`(name: String) throws {
        let test = try #require(ScheduleTests.named(name))
        #expect(test.depth == .all)
        let result = try test.explore(ScheduleExplorer(), depth: .all)
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
        let results = try (0..<2).map { _ in try test.explore(ScheduleExplorer(), depth: .all) }
        #expect(results[0].scheduleCount == results[1].scheduleCount)
        #expect(results[0].stepCount == results[1].stepCount)
        #expect(results[0].crashes == results[1].crashes)
    }
}

extension ScheduleTest {
    /// Scenarios of the mount's worker pool store nothing, and have many threads.
    fileprivate var hasPool: Bool { name.hasPrefix("pool-") }
}
