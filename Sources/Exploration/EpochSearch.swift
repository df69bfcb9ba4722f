import Model

/// The choices with which a large epoch is searched, in the order of what bugs are made of: few lost, few kept, then by
/// chance.
struct EpochSearch {
    private enum Step {
        /// Only this one of the items is lost, or only this one is kept.
        case single(Int, isKept: Bool)
        /// Of a block device: the first so many survive, as on a disk that keeps its order.
        case prefix(Int)
        case pair(Int, Int, areKept: Bool)
        case sample(Int)
    }

    private let set: PendingSet
    private let limits: ExplorationLimits
    /// The parts that may be lost.
    private let parts: [Int]
    private var step = Step.single(0, isKept: false)
    private var draws: RandomStream

    init(_ set: PendingSet, _ walker: borrowing StateWalker, limits: ExplorationLimits, seed: UInt64) {
        self.set = set
        self.limits = limits
        parts = walker.optionalParts
        draws = RandomStream(seed: seed).stream("explore").stream(UInt64(set.eventCount))
    }

    /// Takes the walker to the next state; false after the last.
    mutating func next(_ walker: inout StateWalker) throws -> Bool {
        while true {
            switch step {
            case .single(let index, _) where index >= parts.count: step = .prefix(set.profile == .block ? 1 : .max)
            case .prefix(let count) where count < parts.count:
                step = .prefix(count + 1)
                let first = parts[count]
                try walker.choose { $0 >= first }
                return true
            case .prefix:
                step = parts.count <= limits.pairedAtoms ? .pair(0, 1, areKept: false) : .sample(0)
            case .single(let index, let isKept):
                step = isKept ? .single(index + 1, isKept: false) : .single(index, isKept: true)
                let part = parts[index]
                try walker.choose { ($0 == part) != isKept }
                return true
            case .pair(let one, _, _) where one + 1 >= parts.count: step = .sample(0)
            case .pair(let one, let two, _) where two >= parts.count: step = .pair(one + 1, one + 2, areKept: false)
            case .pair(let one, let two, let areKept):
                step = areKept ? .pair(one, two + 1, areKept: false) : .pair(one, two, areKept: true)
                let pair = (parts[one], parts[two])
                try walker.choose { ($0 == pair.0 || $0 == pair.1) != areKept }
                return true
            case .sample(let number):
                guard number < limits.samplesPerEpoch else { return false }
                step = .sample(number + 1)
                try walker.choose(set.survivors(.seeded(draws.next())))
                return true
            }
        }
    }
}
