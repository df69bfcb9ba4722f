import Bytes
import Model
import Platform
import Storage

/// The evidence of crash states, by number. Recent evidence is in memory, the rest in a spill file that holds each large
/// value once.
///
/// The evidence of one state may have megabytes, and there are thousands of states: in memory it would be the largest part
/// of a run. Not thread safe, except `spill`.
final class EvidenceArchive {
    /// Evidence in memory, or in the spill file.
    enum Item: Sendable {
        case inMemory(StateEvidence)
        case spilled(Payload)
    }

    /// The spill file, created on first use. Thread safe.
    final class Spill: Sendable {
        private struct State {
            var coder = StateEvidenceCoder()
            var file: SpillFile?
            /// The first error of the file.
            var failure: (any Error)?
        }

        /// The evidence is not in the file, although nothing failed.
        struct NotKept: Error, CustomStringConvertible {
            var description: String { "the evidence of a crash state is missing" }
        }

        private let budget: MemoryBudget
        private let state = Guarded(State())

        init(_ budget: MemoryBudget) { self.budget = budget }

        /// Throws if the disk is full or fails.
        func put(_ shown: StateEvidence) throws -> Payload {
            try state.withLock { state in
                do {
                    let file = try state.file ?? budget.makeSpillFile()
                    state.file = file
                    return try state.coder.encode(shown, to: file)
                } catch {
                    state.failure = state.failure ?? error
                    throw error
                }
            }
        }

        /// Throws the error of the file if the evidence is not in it.
        func take(_ location: Payload?) throws -> StateEvidence {
            let (file, failure) = state.withLock { ($0.file, $0.failure) }
            guard let location, let file else { throw failure ?? NotKept() }
            return try StateEvidenceCoder.decode(file.bytes(of: location), from: file)
        }
    }

    let spill: Spill
    private var recent: RecentValues<Int, StateEvidence>
    /// The location of each in the file; nil if it is only in memory.
    private var locations: [Payload?] = []

    init(_ budget: MemoryBudget) {
        spill = Spill(budget)
        recent = RecentValues(limitBytes: budget.cacheBytes)
    }

    var count: Int { locations.count }

    /// Adds evidence. Returns its number, from 0. Throws if the disk is full or fails.
    @discardableResult
    func add(_ item: Item) throws -> Int {
        locations.append(nil)
        try replace(locations.count - 1, with: item)
        return locations.count - 1
    }

    /// Replaces the evidence of a number.
    func replace(_ number: Int, with item: Item) throws {
        switch item {
        case .inMemory(let shown):
            locations[number] = nil
            try remember(shown, number)
        case .spilled(let location):
            recent.remove(number)
            locations[number] = location
        }
    }

    func shown(_ number: Int) throws -> StateEvidence {
        if let known = recent.value(of: number) { return known }
        // Evidence evicted from memory while the disk was full is lost: `take` throws.
        let shown = try spill.take(locations[number])
        try remember(shown, number)
        return shown
    }

    private func remember(_ shown: StateEvidence, _ number: Int) throws {
        for (number, evicted) in recent.insert(shown, for: number, sizeBytes: shown.sizeBytes)
        where locations[number] == nil {
            locations[number] = try spill.put(evicted)
        }
    }
}
