import Bytes
import Model
import Oracle
import Replay
import Runs
import Testing

@testable import Exploration

/// What a page is drawn from: what each barrier made durable, what the crash could lose, and the files of each state.
struct FindingFactsTests {
    private let arena = PayloadArena()
    private let file = InodeID(2)

    private func write(_ id: UInt64, _ byte: UInt8, at offset: UInt64) -> TraceEvent {
        let data = arena.store([UInt8](repeating: byte, count: 512))
        return .operation(Operation(id: OperationID(id), .write(file, offsetBytes: offset, data: data)))
    }

    private func sync(_ id: UInt64, errno: Int32 = 0) -> [TraceEvent] {
        [.barrierBegan(OperationID(id), .fsync(file), process: 1), .barrierEnded(OperationID(id), errno: errno)]
    }

    private func facts(_ events: [TraceEvent], lost: String) throws -> FindingFacts {
        var record = CaseRecord(
            target: "t", manifest: nil, configuration: [:], contract: "durable", scenario: .explore, seed: 1,
            profile: .posixMin, crashPoint: events.count, lost: lost, check: .check(.durable), story: "")
        record.neighbours = [Neighbour(kind: .allKept, lost: "", verdict: .pass)]
        return try FindingFacts(record, Recording(base: Tree(), events: events, payloads: arena), lineCount: 0)
    }

    private var create: TraceEvent {
        let entry = DirectoryEntry(.root, "f")
        return .operation(Operation(id: OperationID(1), .create(file, .regular, Attributes(mode: 0o644), at: entry)))
    }

    @Test func `a barrier covers what it made durable, and not a write whose sync had failed`() throws {
        let events =
            [create, write(2, 1, at: 0)] + sync(3) + [write(4, 2, at: 0)] + sync(5, errno: 5)
            + [write(6, 3, at: 0)] + sync(7) + [write(8, 4, at: 512)]
        let facts = try facts(events, lost: "8.0 8.1")
        #expect(facts.madeDurable[4] == [OperationID(2)], "the name is the directory's")
        #expect(facts.madeDurable[10] == [OperationID(6)])
        #expect(facts.replaced == [OperationID(4)])
        #expect(Set(facts.unsynced.keys) == [OperationID(1), OperationID(8)])
    }

    @Test func `each state has its files, with the bytes that differ and the verdict that is known`() throws {
        let facts = try facts([create, write(2, 1, at: 0), write(3, 2, at: 0)], lost: "3.0[0-512]")
        let finding = facts.states[0]
        #expect(finding.kind == .finding && finding.verdict == .violation)
        let shown = try #require(finding.files.shown.first)
        #expect(shown.path == "f" && shown.beforeBytes == nil && shown.believedBytes == 512 && shown.foundBytes == 512)
        #expect(shown.changes == [0..<512])
        #expect(shown.windows.first?.believed.first == 2 && shown.windows.first?.found.first == 1)
        let kept = try #require(facts.states.first { $0.kind == .neighbour(.allKept) })
        #expect(kept.verdict == .pass && kept.files.shown.allSatisfy { !$0.differs })
        let lost = try #require(facts.states.first { $0.kind == .neighbour(.allLost) })
        #expect(lost.verdict == nil, "nobody recovered it")
        #expect(lost.files.shown.first?.foundBytes == nil)
    }
}
