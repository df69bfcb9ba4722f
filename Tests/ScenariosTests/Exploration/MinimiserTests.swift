import Bytes
import Model
import Oracle
import Storage
import Synchronization
import Testing

@testable import Exploration

/// What making a finding smaller costs.
@Suite struct MinimiserTests {
    /// A file for each of many writes, and no sync at all.
    private func recording(files count: UInt64, named name: (UInt64) -> String = { "file-\($0)" }) -> Recording {
        let arena = PayloadArena()
        let data = arena.store([UInt8](repeating: 7, count: 100))
        var events: [TraceEvent] = []
        for number in 0..<count {
            let file = InodeID(2 + number)
            let entry = DirectoryEntry(.root, ByteString(name(number)))
            let attributes = Attributes(mode: 0o600)
            events.append(
                .operation(Operation(id: OperationID(2 * number + 1), .create(file, .regular, attributes, at: entry))))
            events.append(
                .operation(Operation(id: OperationID(2 * number + 2), .write(file, offsetBytes: 0, data: data))))
        }
        return Recording(base: Tree(), events: events, payloads: arena)
    }

    /// Hundreds of losses, of which one matters: few tries find it.
    @Test func `of the many losses of a store that never syncs, the one that matters is found soon`() throws {
        let recording = recording(files: 150)
        let state = try recording.state(.posixMin, at: recording.events.count, .nothing)
        #expect(state.lost.items.count > 200)
        let wanted = InodeID(2 + 70)
        var tries = 0
        let smallest = try Minimiser(recording).withFewerLosses(
            state, { false },
            fails: { candidate in
                tries += 1
                return candidate.tree.nodes[.root]?.entries.values.contains(wanted) == false
            })
        #expect(smallest.lost.items.count == 1)
        #expect(tries < 60, "\(tries) states were tried")
    }

    /// A store that fails if too many of its files are missing.
    private final class FewFiles: StateRecoverer {
        let recoveries = Atomic<Int>(0)
        let wanted: Int
        init(wanted: Int) { self.wanted = wanted }

        func recover(_ tree: Tree, inFreshProcess: Bool) throws -> RecoveredState {
            recoveries.add(1, ordering: .relaxed)
            let count = tree.nodes[.root]?.entries.count ?? 0
            let opened = Recovery.opened(Observation())
            return RecoveredState(
                evidence: count < wanted
                    ? Evidence(.failed(reason: "too few")) : Evidence(opened, secondRecovery: opened))
        }
        func recording(ofRecovering tree: Tree) throws -> Recording? { nil }
        func reading(_ payloads: any PayloadStore) -> any StateRecoverer { self }
    }

    /// Each crash loses another set of files, so that each state is a group of its own.
    @Test func `many different states of a store that never syncs are minimised with a bounded number of recoveries`()
        throws
    {
        let recording = recording(files: 30, named: { "\(Self.letters($0)).db" })
        func recoveries(candidatesAtMost: Int) throws -> Int {
            let store = FewFiles(wanted: 25)
            let memory = MemoryBudget(limitBytes: 1 << 24, spillDirectory: "/tmp")
            let checker = StateChecker(
                recovery: store, judge: EvidenceJudge(Validator(.everything), .durable), memory: memory)
            var collector = FindingCollector(recording, candidatesAtMost: candidatesAtMost)
            var random = RandomStream(seed: 1)
            for point in 40..<52 {
                let state = try recording.state(.posixMin, at: point, .seeded(random.next()))
                try collector.add(state, try checker.check(state), checker)
            }
            #expect(collector.causes.count >= 1)
            return store.recoveries.load(ordering: .relaxed)
        }
        let (few, many) = (try recoveries(candidatesAtMost: 1), try recoveries(candidatesAtMost: 1500))
        #expect(few < many, "\(few), \(many)")
    }

    private static func letters(_ number: UInt64) -> String {
        String(decoding: [UInt8(97 + number / 26), UInt8(97 + number % 26)], as: UTF8.self)
    }
}
