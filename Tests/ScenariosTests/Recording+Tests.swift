import Bytes
import Exploration
import Machine
import Model
import Storage
import Testing

extension Recording {
    /// Reads a trace file as a run does that may take a usual amount of memory.
    init(tracePath: ByteString) throws {
        let budget = MemoryBudget(limitBytes: 1 << 30, spillDirectory: ScratchSpace.temporaryDirectory())
        try self.init(tracePath: tracePath, budget) { Issue.record("\($0)") }
    }

    /// Makes another run of it.
    mutating func change(_ body: (inout [TraceEvent]) -> Void) {
        var changed = Array(events)
        body(&changed)
        events = EventList(changed)
    }
}
