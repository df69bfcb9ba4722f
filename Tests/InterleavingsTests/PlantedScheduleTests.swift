import Engine
import Schedules
import Testing

@testable import Interleavings

/// The planted bugs that need two threads are found, and their shortest schedules are what the page of planted bugs shows.
@Suite struct PlantedScheduleTests {
    @Test(arguments: PlantedBug.allCases.filter { $0.scheduleSighting != nil })
    func `a planted bug of two threads is found and replayed`(bug: PlantedBug) throws {
        let sighting = try #require(bug.scheduleSighting)
        let test = try #require(ScheduleTests.named(sighting.test))
        let failure = try #require(try test.shortestFailure(ScheduleExplorer(), planting: bug))
        #expect(failure.schedule.description == sighting.schedule)
        #expect(failure.kind.description.contains(sighting.finding))
        let again = try test.replay(try Schedule(sighting.schedule), ScheduleExplorer(), planting: bug)
        #expect(again.failure == failure)
        let correct = try test.explore(ScheduleExplorer(), depth: .within(1))
        #expect(correct.failure == nil)
    }

    @Test func `an acknowledgement of what is not durable is found by the crash check`() throws {
        let test = try #require(ScheduleTests.named("append-sync"))
        let failure = try #require(try test.explore(ScheduleExplorer(), planting: .followerEarly).failure)
        #expect(failure.kind.description.contains("is gone, though it was acknowledged"))
        #expect(failure.rows.last?.action.hasPrefix("acknowledges") == true)
    }
}
