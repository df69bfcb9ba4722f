import Model

/// The choices with which a large epoch is searched, in the order of what bugs are made of: few lost, few kept, then by
/// chance.
struct EpochSearch {
    private enum Step {
        /// Only this one of the items is lost, or only this one is kept.
        case single(Int, isKept: Bool)
        case pair(Int, Int, areKept: Bool)
        case sample(Int)
    }

    private let set: PendingSet
    private let limits: ExplorationLimits
    private let items: [LostAtoms.Item]
    private var step = Step.single(0, isKept: false)
    private var draws: RandomStream

    init(_ set: PendingSet, limits: ExplorationLimits, seed: UInt64) {
        self.set = set
        self.limits = limits
        items = set.lost(set.survivors(.nothing)).items
        draws = RandomStream(seed: seed).stream("explore").stream(UInt64(set.eventCount))
    }

    /// What survives in the next state; nil after the last.
    mutating func next() -> Survivors? {
        while true {
            switch step {
            case .single(let index, _) where index >= items.count:
                step = items.count <= limits.pairedAtoms ? .pair(0, 1, areKept: false) : .sample(0)
            case .single(let index, let isKept):
                step = isKept ? .single(index + 1, isKept: false) : .single(index, isKept: true)
                return losing(isKept) { $0 == index }
            case .pair(let one, _, _) where one + 1 >= items.count: step = .sample(0)
            case .pair(let one, let two, _) where two >= items.count: step = .pair(one + 1, one + 2, areKept: false)
            case .pair(let one, let two, let areKept):
                step = areKept ? .pair(one, two + 1, areKept: false) : .pair(one, two, areKept: true)
                return losing(areKept) { $0 == one || $0 == two }
            case .sample(let number):
                guard number < limits.samplesPerEpoch else { return nil }
                step = .sample(number + 1)
                return set.survivors(.seeded(draws.next()))
            }
        }
    }

    /// The state that loses the items of which `isChosen` is true, or all others.
    private func losing(_ areKept: Bool, _ isChosen: (Int) -> Bool) -> Survivors {
        let lost = items.indices.filter { isChosen($0) != areKept }.map { items[$0] }
        return set.survivors(.losing(LostAtoms(lost)))
    }
}
