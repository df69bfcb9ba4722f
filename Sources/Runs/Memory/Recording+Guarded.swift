import Bytes
import Exploration

extension Recording {
    /// Reads a trace file within the run's memory budget. If spilled data cannot be read back later, the run is
    /// invalid.
    package init(tracePath: ByteString, _ memory: MemoryGuard) throws {
        try self.init(tracePath: tracePath, memory.budget) { memory.fail("\($0)") }
    }
}
