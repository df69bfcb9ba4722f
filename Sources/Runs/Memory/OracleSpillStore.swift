import Model
import Oracle
import Platform
import Storage

/// Spills the values of an oracle to a file once they exceed the run's cache budget.
final class OracleSpillStore: PayloadSpillStore {
    /// Smaller values stay in memory.
    private static let smallBytes = 256

    private struct State {
        var inMemoryBytes = 0
        var file: SpillFile?
    }

    private let memory: MemoryGuard
    private let state = Guarded(State())

    package init(_ memory: MemoryGuard) { self.memory = memory }

    package func put(_ payload: [UInt8]) -> UInt64? {
        guard payload.count >= Self.smallBytes else { return nil }
        do {
            let file = try state.withLock { state -> SpillFile? in
                state.inMemoryBytes += payload.count
                guard state.inMemoryBytes > memory.budget.cacheBytes else { return nil }
                let file = try state.file ?? memory.budget.makeSpillFile()
                state.file = file
                return file
            }
            return try file.map { file in
                try payload.withUnsafeBytes { bytes in Result { try file.append(bytes) } }.get().offsetBytes
            }
        } catch {
            // The value stays in memory, which is monitored.
            return nil
        }
    }

    package func payload(at place: UInt64, countBytes: Int) -> [UInt8] {
        do {
            guard let file = state.withLock({ $0.file }) else { return [] }
            return try file.bytes(of: Payload(offsetBytes: place, countBytes: UInt64(countBytes)))
        } catch {
            memory.fail("\(error)")
            return []
        }
    }
}
