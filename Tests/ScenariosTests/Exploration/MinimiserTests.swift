import Bytes
import Model
import Storage
import Testing

@testable import Exploration

/// What making a finding smaller costs.
@Suite struct MinimiserTests {
    /// A file for each of many writes, and no sync at all.
    private func recording(files count: UInt64) -> Recording {
        let arena = PayloadArena()
        let data = arena.store([UInt8](repeating: 7, count: 100))
        var events: [TraceEvent] = []
        for number in 0..<count {
            let file = InodeID(2 + number)
            let entry = DirectoryEntry(.root, ByteString("file-\(number)"))
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
}
