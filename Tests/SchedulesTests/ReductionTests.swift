import Testing

@testable import Schedules

/// The reduction leaves out no outcome, and few schedules are run twice.
@Suite struct ReductionTests {
    @Test(arguments: [(2, 2), (3, 6), (4, 24)])
    func `threads that write one word have as many schedules as orders`(threads: Int, count: Int) throws {
        let program = LittleProgram(programs: (0..<threads).map { [.store(UInt64($0) + 1, 0)] })
        let (_, report) = try program.explored()
        #expect(report.scheduleCount == count)
        #expect(report.coverage == .all)
    }

    @Test func `threads that share nothing have one schedule`() throws {
        let program = LittleProgram(programs: (0..<3).map { [.store(1, $0), .load($0), .store(2, $0)] })
        let (_, report) = try program.explored()
        #expect(report.scheduleCount == 1 && report.redundantCount == 0)
    }

    @Test func `readers of one word have one schedule`() throws {
        let program = LittleProgram(programs: (0..<3).map { _ in [.load(0), .load(1)] })
        #expect(try program.explored().report.scheduleCount == 1)
    }

    @Test func `two critical sections have two schedules`() throws {
        let program = LittleProgram([.locked(load: 0, store: 1)], [.locked(load: 0, store: 2)])
        let (_, report) = try program.explored()
        #expect(report.scheduleCount == 2)
    }

    /// Random programs: the outcomes of all schedules, with and without reduction.
    @Test(arguments: 0..<60) func `the reduction leaves out no outcome`(seed: UInt64) throws {
        var random = Linear(state: seed)
        let threadCount = 2 + Int(random.next(2))
        let programs = (0..<threadCount).map { _ in
            var hasLocked = threadCount > 2
            return (0..<(threadCount == 2 ? 3 : 2)).map { _ -> LittleProgram.Operation in
                let word = Int(random.next(2))
                switch random.next(4) {
                case 0: return .store(1 + random.next(3), word)
                case 1: return .exchange(word, from: random.next(2), to: 1 + random.next(3))
                case 2 where !hasLocked:
                    // One a thread: without reduction its steps have many orders.
                    hasLocked = true
                    return .locked(load: word, store: 1 + random.next(3))
                default: return .load(word)
                }
            }
        }
        let program = LittleProgram(programs: programs)
        for surprises in [SurpriseLimits.none, SurpriseLimits(staleLoads: 1, spuriousFailures: 0, spuriousWakes: 0)] {
            let all = try program.explored(surprises, preemptions: 1000)
            #expect(all.report.coverage == .all)
            let reduced = try program.explored(surprises)
            #expect(reduced.report.coverage == .all)
            #expect(reduced.outcomes == all.outcomes, "\(programs)")
            #expect(reduced.report.scheduleCount <= all.report.scheduleCount)
        }
    }
}

/// A generator for tests: equal seeds give equal programs.
private struct Linear {
    var state: UInt64

    mutating func next(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
}
