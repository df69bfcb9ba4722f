import Bytes
import Exploration

extension Recording {
    /// Reads a trace file, within what the run may take; should the disk fail later, the run does not count.
    package init(tracePath: ByteString, _ memory: MemoryGuard) throws {
        try self.init(tracePath: tracePath, memory.budget) { memory.fail("\($0)") }
    }
}
