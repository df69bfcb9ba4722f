import Platform
import Schedules
import Testing

/// The scheduler as a user's code sees it: without any name that is not public.
@Suite struct SchedulerTests {
    /// A counter that is generic over its primitives.
    final class Counter<C: Coordination>: Sendable {
        let words = C.Words(count: 1, name: "counter")

        func increase() {
            while true {
                let value = words.load(0)
                if words.exchange(at: 0, expected: value, desired: value + 1) { return }
            }
        }

        func increaseInTwoSteps() { words.store(words.load(0) + 1, at: 0) }
    }

    struct Counting: ScheduleScenario {
        var isCorrect = true
        let threads = ["left", "right"]

        func makeWorld() -> Counter<ScheduledCoordination> { Counter() }

        func run(_ thread: Int, in world: Counter<ScheduledCoordination>) {
            if isCorrect { world.increase() } else { world.increaseInTwoSteps() }
        }

        func check(_ world: Counter<ScheduledCoordination>) throws {
            let count = world.words.load(0)
            if count != 2 { throw ScheduleCheckError("the counter is \(count)") }
        }
    }

    @Test func `a correct counter passes under every schedule`() throws {
        let report = try ScheduleExplorer().explore(Counting())
        #expect(report.failure == nil)
        #expect(report.coverage == .all)
        #expect(report.scheduleCount > 2)
    }

    @Test func `a lost update is found, told and replayed`() throws {
        let scenario = Counting(isCorrect: false)
        let failure = try #require(try ScheduleExplorer().explore(scenario).failure)
        #expect(failure.kind == .check("the counter is 1"))
        #expect(failure.rows.contains { $0.thread == "left" && $0.action == "load counter" && $0.result == "0" })
        let text = failure.schedule.description
        let again = try ScheduleExplorer().replay(scenario, try Schedule(text))
        #expect(again.failure == failure)
    }

    @Test func `the shortest failure has one preemption`() throws {
        let failure = try #require(try ScheduleExplorer().shortestFailure(Counting(isCorrect: false)))
        // left begins, loads; right begins, and goes on by itself: loads, stores; left stores.
        #expect(failure.schedule.description == "A2,B1")
        #expect(failure.stepCount == 6)
    }

    @Test func `no preemption, no lost update`() throws {
        var explorer = ScheduleExplorer()
        explorer.preemptions = 0
        let report = try explorer.explore(Counting(isCorrect: false))
        #expect(report.failure == nil)
        #expect(report.coverage == .preemptions(0))
    }

    @Test(arguments: [
        "!A", "!A0", "!A2~1", "!A2,B1", "A", "A0", "a2", "A2;B3", "A2,,B3", "A2~", "A2~0", "Z2", "A999999999999",
        "A2~1~1",
    ])
    func `text that is no schedule is refused`(text: String) {
        #expect(throws: ScheduleError.self) { try Schedule(text) }
    }

    @Test(arguments: ["", "A2", "A12,B3,A4~1,A2", "A1~1,A1~2,B7", "!B3", "A2,B1,!A17"])
    func `a schedule is printed as it was read`(text: String) throws {
        #expect(try Schedule(text).description == text)
    }

    @Test(arguments: ["C1", "A90", "A1,B90", "A2~1", "!C1", "!A90"])
    func `a schedule that does not fit is an error`(text: String) throws {
        #expect(throws: ScheduleError.self) { try ScheduleExplorer().replay(Counting(), try Schedule(text)) }
    }
}
