import Bytes
import Exploration
import Targets

extension Recording {
    /// Reads a trace file within the run's memory budget. If spilled data cannot be read back later, the run is
    /// invalid.
    package init(tracePath: ByteString, _ memory: MemoryGuard) throws {
        try self.init(tracePath: tracePath, memory.budget) { memory.fail("\($0)") }
    }

    /// Leaves the files that the target ignores out of all crash states, and notes them in the target.
    package mutating func ignoreFiles(of target: ConfiguredTarget?) {
        guard let target, !target.target.ignored.isEmpty else { return }
        target.ignoredFiles.add(ignore(target.target.ignored))
    }
}
