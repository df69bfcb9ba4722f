import Model

/// The bounded search of a large epoch. The most likely failures come first: one or two effects lost, one or two kept, then
/// seeded choices.
struct EpochSearch {
    private enum Step {
        /// Only this effect is lost, or only this one is kept.
        case single(Int, isKept: Bool)
        /// For a block device: the first effects survive, as on a disk that keeps the order of writes.
        case prefix(Int)
        case pair(Int, Int, areKept: Bool)
        case sample(Int)
    }

    private let set: PendingSet
    private let limits: ExplorationLimits
    /// The indices of the effects that may be lost.
    private let effects: [Int]
    private var step = Step.single(0, isKept: false)
    private var draws: RandomStream

    init(_ set: PendingSet, _ walker: borrowing StateWalker, limits: ExplorationLimits, seed: UInt64) {
        self.set = set
        self.limits = limits
        effects = walker.optionalEffects
        draws = RandomStream(seed: seed).stream("explore").stream(UInt64(set.eventCount))
    }

    /// Moves the walker to the next state; false after the last.
    mutating func next(_ walker: inout StateWalker) throws -> Bool {
        while true {
            switch step {
            case .single(let index, _) where index >= effects.count: step = .prefix(set.profile == .block ? 1 : .max)
            case .prefix(let count) where count < effects.count:
                step = .prefix(count + 1)
                let first = effects[count]
                try walker.choose { $0 >= first }
                return true
            case .prefix:
                step = effects.count <= limits.pairedAtoms ? .pair(0, 1, areKept: false) : .sample(0)
            case .single(let index, let isKept):
                step = isKept ? .single(index + 1, isKept: false) : .single(index, isKept: true)
                let effect = effects[index]
                try walker.choose { ($0 == effect) != isKept }
                return true
            case .pair(let one, _, _) where one + 1 >= effects.count: step = .sample(0)
            case .pair(let one, let two, _) where two >= effects.count: step = .pair(one + 1, one + 2, areKept: false)
            case .pair(let one, let two, let areKept):
                step = areKept ? .pair(one, two + 1, areKept: false) : .pair(one, two, areKept: true)
                let pair = (effects[one], effects[two])
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
