import Platform
import Testing

@testable import Schedules

/// Threads that stop for ever.
@Suite struct StoppedThreadTests {
    enum Way: CaseIterable { case exchange, lock, sleep, spin }

    /// Two threads that each add one to a counter.
    struct Adding: ScheduleScenario {
        var way: Way
        var allowed: Set<SchedulePlace> = []
        let threads = ["left", "right"]

        final class World: @unchecked Sendable {
            let words = ScheduledWords(count: 2, name: "counter")
            let gate = ScheduledGate(name: "lock")
        }

        func makeWorld() -> World { World() }

        func run(_ thread: Int, in world: World) {
            switch way {
            case .exchange: add(world)
            case .lock: world.gate.withLock { add(world) }
            case .sleep, .spin:
                var round = 0
                while !world.words.exchange(at: 1, expected: 0, desired: 1) {
                    if way == .sleep {
                        world.words.wait(at: 1, while: 1, in: .even)
                    } else if world.words.load(1) == 1 {
                        ScheduledCoordination.relax(&round)
                    }
                }
                add(world)
                world.words.store(0, at: 1)
                world.words.wakeAll(at: 1, in: .even)
            }
        }

        private func add(_ world: World) {
            while true {
                let value = world.words.load(0)
                if world.words.exchange(at: 0, expected: value, desired: value + 1) { return }
            }
        }

        func check(_ world: World) throws {
            let count = world.words.load(0)
            if count != 2 { throw ScheduleCheckError("the counter is \(count)") }
        }

        func mayWait(_ wait: ScheduleWait, forStopped thread: Int) -> Bool { allowed.contains(wait.place) }
    }

    private static let places: [Way: SchedulePlace] = [
        .lock: .gate("lock"), .sleep: .word(1, of: "counter"), .spin: .loop,
    ]

    @Test(arguments: [nil, 1]) func `code without locks never waits for a stopped thread`(preemptions: Int?) throws {
        var explorer = ScheduleExplorer()
        explorer.preemptions = preemptions
        let report = try explorer.exploreStops(Adding(way: .exchange))
        #expect(report.failure == nil && report.waits.isEmpty)
        // After the beginning, the load and, if it had to try again, the exchange and the second load.
        #expect(report.stopCount >= 4)
    }

    @Test(arguments: [Way.lock, .sleep, .spin])
    func `code with a lock waits for a stopped thread, and the failure says where`(way: Way) throws {
        let scenario = Adding(way: way)
        let failure = try #require(try ScheduleExplorer().exploreStops(scenario).failure)
        guard case .waitsForStopped(let thread, let waiting) = failure.kind else {
            Issue.record("\(failure.kind)")
            return
        }
        #expect(thread == "left" && waiting.count == 1 && waiting[0].hasPrefix("right waits: "))
        #expect(failure.rows.last?.action == "stops for ever")
        let again = try ScheduleExplorer().replay(scenario, try Schedule(failure.schedule.description))
        #expect(again.failure == failure)
    }

    @Test(arguments: [Way.lock, .sleep, .spin]) func `a wait that the scenario allows is no failure`(way: Way) throws {
        let place = try #require(Self.places[way])
        let report = try ScheduleExplorer().exploreStops(Adding(way: way, allowed: [place]))
        #expect(report.failure == nil)
        #expect(report.waits == [.init(0, place), .init(1, place)])
    }

    /// A thread stops with a lock also after its last step under the lock.
    @Test func `a thread can stop before it unlocks`() throws {
        struct Locking: ScheduleScenario {
            let threads = ["left", "right"]
            func makeWorld() -> ScheduledGate { ScheduledGate(name: "lock") }
            func run(_ thread: Int, in gate: ScheduledGate) { gate.withLock {} }
            func check(_ gate: ScheduledGate) {}
        }
        let failure = try ScheduleExplorer().exploreStops(Locking()).failure
        #expect(failure?.needsStoppedThread == true)
    }

    @Test func `a stop at a step that the thread never takes is an error`() throws {
        #expect(throws: ScheduleError.self) {
            try ScheduleExplorer().replay(Adding(way: .lock), try Schedule("!A90"))
        }
    }
}
