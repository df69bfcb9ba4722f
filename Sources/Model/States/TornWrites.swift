/// Finds the states of the level `torn` in which certain atoms are kept and others lost.
///
/// The units of a write that survive are all, none, a prefix, a suffix, all but one, or one. A write may lose more than the
/// wanted units, because a unit of an earlier write that it depends on is lost.
struct TornWrites {
    private let graph: ChoiceGraph
    /// The atoms of each write, or one atom that survives on its own.
    private var items: [Range<Int>] = []
    /// For each of them: the earlier atoms that its own depend on, and the items that these belong to.
    private var needed: [[Int32]] = []
    private var neededItems: [Set<Int>] = []
    private var itemOfAtom: [Int]

    init(_ atoms: AtomGraph, _ graph: ChoiceGraph) {
        self.graph = graph
        itemOfAtom = [Int](repeating: 0, count: graph.count)
        for range in atoms.atomsOfEffect where !range.isEmpty && range.lowerBound >= items.last?.upperBound ?? 0 {
            // With one or two units each set of them is a pattern. A growth, and a write under a total order, is a chain.
            let isFree =
                range.count > 2
                && range.allSatisfy { atom in
                    graph.dependencies[atom].allSatisfy { Int($0) < range.lowerBound }
                }
            if isFree { items.append(range) } else { items += range.map { $0..<$0 + 1 } }
        }
        for (number, item) in items.enumerated() {
            let atoms = Set(item.flatMap { graph.dependencies[$0] })
            needed.append(atoms.sorted())
            neededItems.append(Set(atoms.map { itemOfAtom[Int($0)] }))
            for atom in item { itemOfAtom[atom] = number }
        }
    }

    /// Whether every legal set of atoms is a state of the level.
    var areAllStates: Bool { items.allSatisfy { $0.count == 1 } }

    enum Result {
        case found([UInt64])
        case none
        /// More combinations were tried than is worth it.
        case unknown
    }

    private static let triedAtMost = 10_000

    /// A state that keeps as much as possible. Of several that keep as much, the one whose first writes keep more.
    ///
    /// A search with backjumping: where a write has no possible pattern, only one that it depends on, directly or not, can
    /// help by another pattern. Going back over all combinations of the writes between would take forever.
    func state(_ fixed: FixedChoices) -> Result {
        var members = [UInt64](bitsBelow: graph.count)
        var chosen = [Int](repeating: 0, count: items.count)
        // The writes because of which later ones had no possible pattern, by the write that was tried again for it.
        var reasons: [Int: Set<Int>] = [:]
        // What comes before the first lost atom is kept: of that, nothing depends on a lost one.
        guard let lost = fixed.lost.firstMember else {
            members.insert(0..<graph.count)
            return .found(members)
        }
        var (place, next, tried) = (itemOfAtom[lost], 0, 0)
        members.insert(0..<items[place].lowerBound)
        while place < items.count {
            tried += 1
            if tried > Self.triedAtMost { return .unknown }
            let item = items[place]
            if next == 0, !fixed.lost.holdsAny(of: item), needed[place].allSatisfy({ members.holds(Int($0)) }) {
                members.insert(item)
                chosen[place] = 0
                place += 1
                continue
            }
            let possible = patterns(item, fixed, members)
            if next < possible.count {
                for position in 0..<item.count where possible[next].keeps(position) {
                    members.insert(item.lowerBound + position)
                }
                chosen[place] = next
                (place, next) = (place + 1, 0)
                continue
            }
            var all = neededItems[place].union(reasons[place] ?? [])
            guard let last = all.max() else { return .none }
            all.remove(last)
            reasons[last, default: []].formUnion(all)
            for later in last + 1...place { reasons[later] = nil }
            for atom in items[last].lowerBound..<item.upperBound { members.remove(atom) }
            (place, next) = (last, chosen[last] + 1)
        }
        return .found(members)
    }

    /// The units of a write that survive, by position.
    private enum Pattern {
        case range(Range<Int>)
        case allBut(Int)

        func keeps(_ position: Int) -> Bool {
            switch self {
            case .range(let range): range.contains(position)
            case .allBut(let lost): position != lost
            }
        }
    }

    /// The possible patterns of a write, given the state of the earlier ones: those that keep more come first.
    private func patterns(_ item: Range<Int>, _ fixed: FixedChoices, _ members: [UInt64]) -> [Pattern] {
        let count = item.count
        var (firstKept, lastKept, keptCount) = (count, -1, 0)
        var (firstLost, lastLost, lostCount) = (count, -1, 0)
        for position in 0..<count {
            let atom = item.lowerBound + position
            let isKept = fixed.kept.holds(atom)
            let isLost =
                fixed.lost.holds(atom) || graph.dependencies[atom].contains { !members.holds(Int($0)) }
            if isKept, isLost { return [] }
            if isKept { (firstKept, lastKept, keptCount) = (min(firstKept, position), position, keptCount + 1) }
            if isLost { (firstLost, lastLost, lostCount) = (min(firstLost, position), position, lostCount + 1) }
        }
        func mayLose(_ position: Int) -> Bool { !fixed.kept.holds(item.lowerBound + position) }
        var patterns: [Pattern] = []
        if lostCount == 0 { patterns.append(.range(0..<count)) }
        if count > 1 {
            if lostCount == 1 { patterns.append(.allBut(firstLost)) }
            if lostCount == 0 { patterns += (0..<count).filter(mayLose).map(Pattern.allBut) }
            let prefixes = stride(from: min(firstLost, count - 1), through: max(lastKept + 1, 1), by: -1)
                .map { Pattern.range(0..<$0) }
            let suffixes = stride(from: max(lastLost + 1, 1), through: min(firstKept, count - 1), by: 1)
                .map { Pattern.range($0..<count) }
            patterns += firstLost >= count - 1 - lastLost ? prefixes + suffixes : suffixes + prefixes
            if keptCount == 1 { patterns.append(.range(firstKept..<firstKept + 1)) }
            if keptCount == 0, lostCount < count {
                for position in 0..<count {
                    let atom = item.lowerBound + position
                    let isPossible =
                        !fixed.lost.holds(atom)
                        && graph.dependencies[atom].allSatisfy { members.holds(Int($0)) }
                    if isPossible { patterns.append(.range(position..<position + 1)) }
                }
            }
        }
        if keptCount == 0 { patterns.append(.range(0..<0)) }
        return patterns
    }
}
