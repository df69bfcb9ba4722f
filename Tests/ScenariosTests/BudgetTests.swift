import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Synchronization
import Targets
import Testing

@testable import Runs

/// A budget that ends in the middle of something. The time is a count of recoveries here, so that no test waits for it.
struct BudgetTests {
    private let temporary: TemporaryDirectory
    private let memory: MemoryGuard

    init() throws {
        temporary = try TemporaryDirectory()
        memory = MemoryGuard(.standard(spillingNear: ByteString(temporary.path)))
    }

    private final class Recoveries: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }

    /// Counts what another one recovers.
    private struct Counted: StateRecoverer {
        var wrapped: any StateRecoverer
        var recoveries: Recoveries

        func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
            recoveries.add()
            return try wrapped.recover(tree, inFreshProcess: inFreshProcess)
        }
        func recording(ofRecovering tree: Tree) throws -> Recording? { try wrapped.recording(ofRecovering: tree) }
        func reading(_ payloads: any PayloadStore) -> any StateRecoverer {
            Counted(wrapped: wrapped.reading(payloads), recoveries: recoveries)
        }
    }

    private func scene(
        planted: String, _ recoveries: Recoveries
    ) throws -> (recording: Recording, recovery: Counted, judge: EvidenceJudge) {
        let store = try #require(BuiltInStore("engine") { $0 == "planted" ? planted : nil })
        let workload = Workload(seed: 1, shape: WorkloadShape(), operationCount: 20)
        let oracle = ByteString(temporary.path + "/oracle-\(planted)")
        for file in ["/trace", "/oracle-\(planted)"] {
            try? FileManager.default.removeItem(atPath: temporary.path + file)
        }
        let life = try RecordedLife(
            trace: ByteString(temporary.path + "/trace"), oracle: oracle, memory, seed: 1
        ) { try store.run(workload, on: $0, oracle: $1) }
        var history = OracleHistory(oracle, memory)
        try history.readAll()
        let recovery = MemoryRecovery(store, payloads: life.recording.payloads)
        return (
            life.recording, Counted(wrapped: recovery, recoveries: recoveries),
            EvidenceJudge(history.validator, .durable)
        )
    }

    @Test func crashesOfARecoveryEndWithTheBudget() throws {
        for most in [0, 10, 25] {
            let recoveries = Recoveries()
            let scene = try scene(planted: "none", recoveries)
            var limits = ExplorationLimits()
            limits.depth = 2
            let isOver: @Sendable () -> Bool = { recoveries.value >= most }
            let explorer = try Explorer(
                scene.recording, profile: .posixMin, limits: limits, seed: 1, recovery: scene.recovery,
                confirming: scene.recovery, judge: scene.judge, workers: 2, memory: memory.budget, isOver: isOver)
            try explorer.run(shouldStop: { isOver() ? .budget : nil }, progress: { _ in })
            #expect(recoveries.value <= most + 2, "each thread ends the recovery that it is at")
            #expect(explorer.coverage.stopped == .budget && explorer.canBeResumed)
            // What was recovered counts only where the crashes of its recovery were all looked at.
            #expect(explorer.counts.checked + explorer.counts.nested <= recoveries.value)
            #expect(most > 0 || explorer.counts.checked == 0)
        }
    }

    @Test func aFindingThatWasNotMadeSmallerSaysSo() throws {
        let recoveries = Recoveries()
        let scene = try scene(planted: "never-sync", recoveries)
        let end = scene.recording.events.count
        let state = try scene.recording.state(.posixMin, at: end, .nothing)
        func causes(isOver: () -> Bool) throws -> [FoundCause] {
            let checker = StateChecker(recovery: scene.recovery, judge: scene.judge, memory: memory.budget)
            var collector = FindingCollector(scene.recording)
            let before = recoveries.value
            for _ in 0..<3 { try collector.add(state, try checker.check(state), checker, isOver: isOver) }
            #expect(!isOver() || recoveries.value <= before + 3)
            return collector.causes
        }
        let cut = try causes { true }
        #expect(cut.map(\.isCutShort) == [true] && cut.map(\.stateCount) == [3])
        func words(_ causes: [FoundCause]) -> String? {
            causes.first.map { cause in
                let fact = CrashFact(
                    eventCount: cause.state.crashPoint, lost: [], cause.violation, isCutShort: cause.isCutShort)
                return English().words(for: .crash(fact))
            }
        }
        #expect(words(cut)?.contains("the time was up") == true)
        let whole = try causes { false }
        #expect(whole.map(\.isCutShort) == [false] && words(whole)?.contains("the time was up") == false)
        let counts = (cut + whole).map(\.state.lost.items.count)
        #expect(counts.count == 2 && counts[1] < counts[0], "\(counts)")
    }
}
