import Platform
import Testing

@testable import Schedules

/// Sleeping, waking and waiting in loops.
@Suite struct WaitingTests {
    enum Way { case futex, futexWithoutRecheck, gate, gateWithoutLoop, gateWithoutWake, spin, spinForEver, lockTwice }

    /// A thread waits for a flag that the other one sets.
    struct Handover: ScheduleScenario {
        var way: Way
        let threads = ["waiter", "setter"]

        final class World: @unchecked Sendable {
            let words = ScheduledWords(count: 1, name: "flag")
            let gate = ScheduledGate(name: "gate")
            let other = ScheduledGate(name: "other gate")
            var isSet = false
            var saw = false
        }

        func makeWorld() -> World { World() }

        func run(_ thread: Int, in world: World) {
            if thread == 0 { wait(world) } else { set(world) }
        }

        private func wait(_ world: World) {
            switch way {
            case .futex:
                while world.words.load(0) == 0 { world.words.wait(at: 0, while: 0, in: .even) }
                world.saw = true
            case .futexWithoutRecheck:
                if world.words.load(0) == 0 { world.words.wait(at: 0, while: 0, in: .even) }
                world.saw = world.words.load(0) == 1
            case .gate, .gateWithoutWake:
                world.gate.withLock {
                    while !world.isSet { world.gate.wait() }
                    world.saw = true
                }
            case .gateWithoutLoop:
                world.gate.withLock {
                    if !world.isSet { world.gate.wait() }
                    world.saw = world.isSet
                }
            case .spin, .spinForEver:
                var round = 0
                while world.words.load(0) == 0 { ScheduledCoordination.relax(&round) }
                world.saw = true
            case .lockTwice:
                world.gate.withLock { world.other.withLock { world.saw = true } }
            }
        }

        private func set(_ world: World) {
            switch way {
            case .futex, .futexWithoutRecheck:
                world.words.store(1, at: 0)
                world.words.wakeOne(at: 0, in: .even)
            case .gate, .gateWithoutLoop:
                world.gate.withLock {
                    world.isSet = true
                    world.gate.wakeAll()
                }
            case .gateWithoutWake: world.gate.withLock { world.isSet = true }
            case .spin: world.words.store(1, at: 0)
            case .spinForEver: break
            case .lockTwice: world.other.withLock { world.gate.withLock {} }
            }
        }

        func check(_ world: World) throws {
            if !world.saw { throw ScheduleCheckError("the waiter did not see the flag") }
        }
    }

    @Test(arguments: [Way.futex, .gate, .spin]) func `a correct handover passes`(way: Way) throws {
        let report = try ScheduleExplorer().explore(Handover(way: way))
        #expect(report.failure == nil && report.coverage == .all)
    }

    @Test(arguments: [Way.futexWithoutRecheck, .gateWithoutLoop])
    func `a wait without a loop fails when it ends for no reason`(way: Way) throws {
        let failure = try #require(try ScheduleExplorer().explore(Handover(way: way)).failure)
        #expect(failure.kind == .check("the waiter did not see the flag"))
        var explorer = ScheduleExplorer()
        explorer.surprises = .none
        #expect(try explorer.explore(Handover(way: way)).failure == nil)
    }

    @Test(arguments: [Way.gateWithoutWake, .spinForEver, .lockTwice])
    func `threads that wait for ever are found`(way: Way) throws {
        let failure = try #require(try ScheduleExplorer().explore(Handover(way: way)).failure)
        guard case .stuck(let waiting) = failure.kind else {
            Issue.record("\(failure.kind)")
            return
        }
        #expect(waiting.count == (way == .lockTwice ? 2 : 1))
        #expect(waiting[0].hasPrefix("waiter waits: "))
    }

    /// One wakeup, two sleepers: whichever is woken, the other must be woken by someone else.
    struct TwoSleepers: ScheduleScenario {
        let threads = ["one", "two", "waker"]

        func makeWorld() -> ScheduledWords { ScheduledWords(count: 1, name: "flag") }

        func run(_ thread: Int, in words: ScheduledWords) {
            if thread == 2 {
                words.store(1, at: 0)
                words.wakeOne(at: 0, in: .even)
            } else {
                while words.load(0) == 0 { words.wait(at: 0, while: 0, in: .even) }
            }
        }

        func check(_ words: ScheduledWords) {}
    }

    @Test func `one wakeup for two sleepers strands either of them`() throws {
        let failure = try #require(try ScheduleExplorer().explore(TwoSleepers()).failure)
        guard case .stuck = failure.kind else {
            Issue.record("\(failure.kind)")
            return
        }
    }

    /// A wait with a deadline ends by itself, and time has passed then.
    struct Timed: ScheduleScenario {
        let threads = ["waiter", "other"]

        final class World: @unchecked Sendable {
            let gate = ScheduledGate(name: "gate")
            var waited: UInt64 = 0
            var wasWoken = false
        }

        let seen = Guarded<Set<Bool>>([])

        func makeWorld() -> World { World() }

        func run(_ thread: Int, in world: World) {
            if thread == 1 { return world.gate.withLock { world.gate.wakeAll() } }
            let start = ScheduledCoordination.nanoseconds
            world.gate.withLock { world.gate.wait(until: start + 5) }
            world.waited = ScheduledCoordination.nanoseconds - start
        }

        func check(_ world: World) throws {
            seen.withLock { _ = $0.insert(world.waited == 5) }
            if world.waited != 5, world.waited != 0 { throw ScheduleCheckError("\(world.waited)") }
        }
    }

    @Test func `a wait with a deadline ends by a wakeup or by time`() throws {
        let scenario = Timed()
        let report = try ScheduleExplorer().explore(scenario)
        #expect(report.failure == nil && report.coverage == .all)
        #expect(scenario.seen.withLock { $0 } == [true, false])
    }
}
