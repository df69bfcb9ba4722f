import Bytes
import Model
import Platform
import Storage

/// What crash states showed, by number. What was looked at last is in memory; the rest is in a file, in which each large
/// value stands once, however many states show it.
///
/// A state of a store may show megabytes, and there are thousands of states: kept in memory they would be most of what a
/// run takes. Not thread safe but for `setAside`.
final class EvidenceArchive {
    /// What is to be kept, and where it is.
    enum Item: Sendable {
        case inMemory(ShownState)
        case aside(Payload)
    }

    /// The file, made when something is put aside for the first time. Thread safe.
    final class Aside: Sendable {
        private struct State {
            var coder = ShownStateCoder()
            var file: SpillFile?
            /// Why something could not be put aside, the first time.
            var failure: (any Error)?
        }

        /// It is in no file, and nothing failed.
        struct NotKept: Error, CustomStringConvertible {
            var description: String { "what a crash state showed was not kept" }
        }

        private let budget: MemoryBudget
        private let state = Guarded(State())

        init(_ budget: MemoryBudget) { self.budget = budget }

        /// Throws when the disk is full or fails.
        func put(_ shown: ShownState) throws -> Payload {
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

        /// Throws why it could not be put aside, where it is not there.
        func take(_ place: Payload?) throws -> ShownState {
            let (file, failure) = state.withLock { ($0.file, $0.failure) }
            guard let place, let file else { throw failure ?? NotKept() }
            return try ShownStateCoder.decode(file.bytes(of: place), from: file)
        }
    }

    let aside: Aside
    private var recent: RecentValues<Int, ShownState>
    /// Where each is in the file; nil where it is in memory alone.
    private var places: [Payload?] = []

    init(_ budget: MemoryBudget) {
        aside = Aside(budget)
        recent = RecentValues(limitBytes: budget.cacheBytes)
    }

    var count: Int { places.count }

    /// Keeps what a state showed; answers its number, from 0. Throws when the disk is full or fails.
    @discardableResult
    func add(_ item: Item) throws -> Int {
        places.append(nil)
        try replace(places.count - 1, with: item)
        return places.count - 1
    }

    /// Keeps something else under a number.
    func replace(_ number: Int, with item: Item) throws {
        switch item {
        case .inMemory(let shown):
            places[number] = nil
            try remember(shown, number)
        case .aside(let place):
            recent.remove(number)
            places[number] = place
        }
    }

    func shown(_ number: Int) throws -> ShownState {
        if let known = recent.value(of: number) { return known }
        // What left the memory when the disk was full is nowhere.
        let shown = try aside.take(places[number])
        try remember(shown, number)
        return shown
    }

    private func remember(_ shown: ShownState, _ number: Int) throws {
        for (number, gone) in recent.insert(shown, for: number, sizeBytes: shown.sizeBytes) where places[number] == nil
        {
            places[number] = try aside.put(gone)
        }
    }
}
