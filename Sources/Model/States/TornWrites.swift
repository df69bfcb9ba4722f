/// Finds the states of the level `torn` in which certain atoms are kept and others lost.
///
/// The units of a write that survive are all, none, a prefix, a suffix, all but one, or one. A write may lose more than the
/// wanted units, because a unit of an earlier write that it depends on is lost.
struct TornWrites {
    private let graph: ChoiceGraph
    /// The atoms of each write, or one atom that survives on its own.
    private var items: [Range<Int>] = []

    init(_ atoms: AtomGraph, _ graph: ChoiceGraph) {
        self.graph = graph
        for range in atoms.atomsOfEffect where !range.isEmpty && range.lowerBound >= items.last?.upperBound ?? 0 {
            // With one or two units each set of them is a pattern. A growth, and a write under a total order, is a chain.
            let isFree =
                range.count > 2
                && range.allSatisfy { atom in
                    graph.dependencies[atom].allSatisfy { Int($0) < range.lowerBound }
                }
            if isFree { items.append(range) } else { items += range.map { $0..<$0 + 1 } }
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
    func state(_ fixed: FixedChoices) -> Result {
        var members = [UInt64](bitsBelow: graph.count)
        var patterns: [[Pattern]] = []
        var tried = 0
        while patterns.count < items.count {
            tried += 1
            if tried > Self.triedAtMost { return .unknown }
            let item = items[patterns.count]
            var possible = self.patterns(item, fixed, members)
            if possible.isEmpty {
                // Back to the last write with another pattern.
                repeat {
                    guard let last = patterns.popLast() else { return .none }
                    possible = Array(last.dropFirst())
                    for atom in items[patterns.count].lowerBound..<item.upperBound { members.remove(atom) }
                } while possible.isEmpty
            }
            let chosen = items[patterns.count]
            for atom in chosen where possible[0].keeps(atom - chosen.lowerBound) { members.insert(atom) }
            patterns.append(possible)
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
