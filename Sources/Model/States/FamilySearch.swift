import Bytes

/// Divides the crash states of a pending set at a level into families, each of which one recovery decides.
///
/// A family has a representative, which keeps as much as possible. It is recovered, and tells what it read. All states that
/// agree with it in the atoms on which these places depend show the same: they are its family. The other states differ from
/// it in some of these atoms. They are divided by the first one in which they differ, in the order in which the recovery
/// read, and each of these sets is searched likewise. So each state of the level is in exactly one family.
package struct FamilySearch {
    /// A state that stands for those that it decides.
    package struct Representative: Sendable {
        fileprivate var fixed: FixedChoices
        /// The choices that it keeps.
        fileprivate var kept: [UInt64]
        /// Its atoms, one bit each.
        package fileprivate(set) var members: [UInt64]
    }

    /// A set of states whose representative has been recovered.
    private struct Branch {
        var fixed: FixedChoices
        var kept: [UInt64]
        var relevant: [Int32]
        var next = 0
    }

    package let level: StateLevel
    private let atoms: AtomGraph
    private let graph: ChoiceGraph
    private let torn: TornWrites?
    private let touches: AtomTouches
    private var stack: [Branch] = []
    private var hasBegun = false
    /// Whether states were left out, because it takes too long to find them.
    package private(set) var isIncomplete = false

    /// For each number of a read: the atoms that change it; nil if it depends on the state.
    private var known: [Int32: [AtomTouches.Touch]?] = [:]

    package init(_ set: PendingSet, _ level: StateLevel) {
        self.level = level
        atoms = AtomGraph(set)
        graph = ChoiceGraph(atoms, level)
        torn = level == .torn ? TornWrites(atoms, graph) : nil
        touches = AtomTouches(set, atoms)
    }

    /// Whether the states of this level are all states of the set.
    package var hasAllStates: Bool { graph.count == atoms.atoms.count && torn?.areAllStates ?? true }

    /// The number of atoms.
    package var atomCount: Int { atoms.atoms.count }

    /// The next representative to be recovered; nil if there is none, unless `branch` adds more.
    package mutating func next() -> Representative? {
        if !hasBegun {
            hasBegun = true
            return representative(FixedChoices(count: graph.count))
        }
        while let last = stack.indices.last {
            guard stack[last].next < stack[last].relevant.count else {
                stack.removeLast()
                continue
            }
            let choice = Int(stack[last].relevant[stack[last].next])
            stack[last].next += 1
            guard stack[last].fixed.isFree(choice) else { continue }
            var other = stack[last].fixed
            let isKept = stack[last].kept.holds(choice)
            let isPossible = other.fix(choice, isKept: !isKept, in: graph)
            // The representative itself agrees with all that is fixed.
            _ = stack[last].fixed.fix(choice, isKept: isKept, in: graph)
            if isPossible, let representative = representative(other) { return representative }
        }
        return nil
    }

    /// Whether no state is left.
    package var isDone: Bool { hasBegun && stack.isEmpty }

    private mutating func representative(_ fixed: FixedChoices) -> Representative? {
        let kept: [UInt64]
        if let torn {
            switch torn.state(fixed) {
            case .found(let state): kept = state
            case .none: return nil
            case .unknown:
                isIncomplete = true
                return nil
            }
        } else {
            kept = fixed.lost.complement(below: graph.count)
        }
        return Representative(fixed: fixed, kept: kept, members: graph.members(kept))
    }

    /// The states that a recovery decided: those that agree with its representative in these choices.
    package struct Family: Sendable {
        fileprivate var fixed: FixedChoices
        /// Whether there are more states than the representative.
        package let decidesOthers: Bool
    }

    /// Continues with the states that a recovered representative does not decide. Returns those that it does.
    ///
    /// - Parameter reads: what its recovery read, in order.
    package mutating func branch(
        _ representative: Representative, reading reads: [Int32], of table: ReadTable
    ) -> Family {
        var relevant: [Int32] = []
        var isKnown = [UInt64](bitsBelow: graph.count)
        func add(_ atom: Int) {
            let choice = Int(graph.choices[atom])
            guard representative.fixed.isFree(choice), !isKnown.holds(choice) else { return }
            isKnown.insert(choice)
            relevant.append(Int32(choice))
        }
        for number in reads {
            let read = table[number]
            if known[number] == nil { known[number] = .some(touches.touches(read)) }
            if case .some(.some(let touched)) = known[number] {
                if touched.isEmpty { continue }
                AtomTouches.forEachRelevant(of: touched, read, in: representative.members, add)
            } else {
                touches.forEachRelevant(read, in: representative.members, add)
            }
        }
        var fixed = representative.fixed
        for choice in relevant {
            _ = fixed.fix(Int(choice), isKept: representative.kept.holds(Int(choice)), in: graph)
        }
        if !relevant.isEmpty {
            stack.append(Branch(fixed: representative.fixed, kept: representative.kept, relevant: relevant))
        }
        return Family(fixed: fixed, decidesOthers: (0..<graph.count).contains(where: fixed.isFree))
    }

    // MARK: - Families

    /// A state of a family that is far from its representative: it loses everything that the family leaves open, or about
    /// half of it.
    package func sample(_ family: Family, _ draws: inout RandomStream) -> [UInt64] {
        var fixed = family.fixed
        let losesAll = draws.chance(1, in: 2)
        for choice in (0..<graph.count).shuffled(using: &draws) where fixed.isFree(choice) {
            _ = fixed.fix(choice, isKept: !losesAll && draws.chance(1, in: 2), in: graph)
        }
        return graph.members(fixed.kept)
    }

    /// Calls `body` with the atoms of each state of a family, at most `count`. False if there are more.
    package func forEachState(of family: Family, atMost count: Int, _ body: ([UInt64]) throws -> Void) rethrows -> Bool
    {
        var open = [(fixed: family.fixed, next: 0)]
        var left = count
        while var (fixed, next) = open.popLast() {
            while next < graph.count, !fixed.isFree(next) { next += 1 }
            guard next < graph.count else {
                guard left > 0 else { return false }
                left -= 1
                try body(graph.members(fixed.kept))
                continue
            }
            var without = fixed
            if without.fix(next, isKept: false, in: graph) { open.append((without, next + 1)) }
            if fixed.fix(next, isKept: true, in: graph) { open.append((fixed, next + 1)) }
        }
        return true
    }

    /// The number of states of the level; nil if it takes too long to count them, and for `torn` if it is not that of
    /// another level.
    package func stateCount() -> StateCount? {
        level == .torn && !hasAllStates ? nil : IdealCount.count(graph)
    }

    package func survivors(_ members: [UInt64]) -> Survivors { atoms.survivors(members[...]) }
}
