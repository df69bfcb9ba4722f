import Model
import Oracle
import Platform
import Storage

/// Where the values of an oracle lie that memory has no room for: beyond a share of the run's memory, in a file.
final class OracleShelf: PayloadSpillStore {
    /// Values of fewer bytes stay in memory: there is not much to gain.
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
            // It stays in memory, which is watched.
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
