import Platform
import Testing

@testable import Schedules

/// Litmus tests of release/acquire: which outcomes the scheduler shows, and which it must not show.
@Suite struct MemoryModelTests {
    private static let weak = SurpriseLimits(staleLoads: 2, spuriousFailures: 0, spuriousWakes: 0)

    private func reads(_ program: LittleProgram, _ surprises: SurpriseLimits = weak) throws -> Set<[[UInt64]]> {
        let (outcomes, report) = try program.explored(surprises)
        #expect(report.failure == nil && report.coverage == .all)
        return Set(outcomes.map { Array($0.dropLast()) })
    }

    private let storeBuffering = LittleProgram([.store(1, 0), .load(1)], [.store(1, 1), .load(0)])

    @Test func `store buffering: both threads may miss the other's store`() throws {
        #expect(try reads(storeBuffering) == [[[0], [1]], [[1], [0]], [[1], [1]], [[0], [0]]])
    }

    @Test func `without stale loads the schedules are sequentially consistent`() throws {
        #expect(try reads(storeBuffering, .none) == [[[0], [1]], [[1], [0]], [[1], [1]]])
    }

    @Test func `message passing: who sees the flag sees the message`() throws {
        let found = try reads(LittleProgram([.store(1, 0), .store(1, 1)], [.load(1), .load(0)]))
        #expect(found == [[[], [0, 0]], [[], [0, 1]], [[], [1, 1]]])
    }

    @Test func `coherence: a thread never goes back to an older value`() throws {
        let found = try reads(LittleProgram([.store(1, 0), .store(2, 0)], [.load(0), .load(0)]))
        #expect(found.allSatisfy { $0[1][0] <= $0[1][1] } && found.count == 6)
    }

    @Test func `independent reads of independent writes may disagree on their order`() throws {
        let found = try reads(
            LittleProgram([.store(1, 0)], [.store(1, 1)], [.load(0), .load(1)], [.load(1), .load(0)]))
        #expect(found.contains([[], [], [1, 0], [1, 0]]))
        let strong = try reads(
            LittleProgram([.store(1, 0)], [.store(1, 1)], [.load(0), .load(1)], [.load(1), .load(0)]), .none)
        #expect(!strong.contains([[], [], [1, 0], [1, 0]]))
    }

    @Test func `an exchange reads the newest value: only one of two succeeds`() throws {
        let found = try reads(
            LittleProgram([.exchange(0, from: 0, to: 1)], [.exchange(0, from: 0, to: 2)]))
        #expect(found == [[[1], [0]], [[0], [1]]])
    }

    @Test func `an exchange may fail for no reason`() throws {
        let program = LittleProgram([.exchange(0, from: 0, to: 1)])
        #expect(try reads(program, .none) == [[[1]]])
        #expect(
            try reads(program, SurpriseLimits(staleLoads: 0, spuriousFailures: 1, spuriousWakes: 0)) == [[[1]], [[0]]])
    }

    @Test func `a lock orders what it guards`() throws {
        let found = try reads(LittleProgram([.locked(load: 0, store: 1)], [.locked(load: 0, store: 2)]))
        #expect(found == [[[0], [1]], [[2], [0]]])
    }
}
