/// What is kept or lost at a level, each with the earlier choices that it depends on: the atoms, or for `whole` the effects.
///
/// A legal state is an order ideal of this graph. For `torn` the atoms of each write must besides be one of a few patterns
/// (`TornWrites`).
struct ChoiceGraph {
    let count: Int
    private(set) var dependencies: [[Int32]]
    private(set) var dependants: [[Int32]]
    /// The atoms of each choice.
    let atoms: [Range<Int>]
    /// The choice that each atom belongs to.
    let choices: [Int32]

    init(_ graph: AtomGraph, _ level: StateLevel) {
        var atoms: [Range<Int>] = []
        if level == .whole {
            // Effects that survive together have the same atoms.
            for range in graph.atomsOfEffect where !range.isEmpty && range.lowerBound >= atoms.last?.upperBound ?? 0 {
                atoms.append(range)
            }
        } else {
            atoms = graph.atoms.indices.map { $0..<$0 + 1 }
        }
        var choices = [Int32](repeating: 0, count: graph.atoms.count)
        for (choice, range) in atoms.enumerated() { for atom in range { choices[atom] = Int32(choice) } }
        let dependencies = atoms.enumerated().map { choice, range in
            Set(range.flatMap { graph.dependencies[$0] }.map { choices[Int($0)] }).subtracting([Int32(choice)]).sorted()
        }
        var dependants = [[Int32]](repeating: [], count: atoms.count)
        for (choice, list) in dependencies.enumerated() {
            for dependency in list { dependants[Int(dependency)].append(Int32(choice)) }
        }
        count = atoms.count
        self.atoms = atoms
        self.choices = choices
        self.dependencies = dependencies
        self.dependants = dependants
    }

    /// The atoms of these choices, one bit each.
    func members(_ kept: [UInt64]) -> [UInt64] {
        guard choices.count != count else { return kept }
        var members = [UInt64](bitsBelow: choices.count)
        for choice in 0..<count where kept.holds(choice) { for atom in atoms[choice] { members.insert(atom) } }
        return members
    }
}

/// A set of states: these choices are kept, those are lost, and the others are free. Closed: what a kept choice depends on
/// is kept, and what depends on a lost one is lost.
struct FixedChoices {
    var kept: [UInt64]
    var lost: [UInt64]

    init(count: Int) { (kept, lost) = ([UInt64](bitsBelow: count), [UInt64](bitsBelow: count)) }

    func isFree(_ choice: Int) -> Bool { !kept.holds(choice) && !lost.holds(choice) }

    /// Fixes a free choice. False if no legal state is left; the value is then useless.
    mutating func fix(_ choice: Int, isKept: Bool, in graph: ChoiceGraph) -> Bool {
        var open = [Int32(choice)]
        while let next = open.popLast() {
            let index = Int(next)
            if isKept {
                if kept.holds(index) { continue }
                if lost.holds(index) { return false }
                kept.insert(index)
                open += graph.dependencies[index]
            } else {
                if lost.holds(index) { continue }
                if kept.holds(index) { return false }
                lost.insert(index)
                open += graph.dependants[index]
            }
        }
        return true
    }
}
