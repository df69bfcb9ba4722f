/// Visits every order ideal (down-set) of the atom graph once: every set of atoms that contains the dependencies of its
/// members. Each order ideal is a crash state.
///
/// The walk adds atoms in rising order and removes the last one again. It reaches each ideal through its prefixes, which
/// are ideals too, because dependencies are earlier atoms. Each step changes one atom and can be undone from a stack. An
/// ideal costs two steps on average, whatever its size.
struct IdealWalk: ~Copyable {
    enum Step {
        /// The atom was added: the walk is at a new ideal.
        case added(Int)
        /// The atom was removed, on the way to the next ideal.
        case removed(Int)
    }

    private let dependants: OwnedList<Int32>
    private let firstDependant: OwnedList<Int32>
    /// For each atom, how many of its dependencies are not in the set.
    private var missingCounts: OwnedList<Int32>
    /// The atoms whose dependencies are all in the set, one bit each.
    private var ready: OwnedList<UInt64>
    /// The atoms in the set, one bit each.
    private var held: OwnedList<UInt64>
    private var stack = OwnedList<Int32>()
    /// The first atom to consider next.
    private var next = 0
    private let count: Int

    init(_ graph: borrowing AtomGraph) {
        count = graph.atoms.count
        let dependencyCounts = graph.dependencies.map { Int32($0.count) }
        missingCounts = OwnedList(dependencyCounts)
        var lists = [[Int32]](repeating: [], count: count)
        for (atom, dependencies) in graph.dependencies.enumerated() {
            for dependency in dependencies { lists[Int(dependency)].append(Int32(atom)) }
        }
        dependants = OwnedList(lists.flatMap(\.self))
        var begin: Int32 = 0
        var begins: [Int32] = [0]
        for list in lists {
            begin += Int32(list.count)
            begins.append(begin)
        }
        firstDependant = OwnedList(begins)
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        held = OwnedList(words)
        for atom in 0..<count where dependencyCounts[atom] == 0 { words[atom >> 6] |= 1 << UInt64(atom & 63) }
        ready = OwnedList(words)
    }

    /// The atoms of the current set, one bit each. Valid until the next step.
    var members: UnsafeBufferPointer<UInt64> { held.elements }

    /// Makes one step; nil after the last one.
    mutating func advance() -> Step? {
        if let atom = nextReady() {
            stack.append(Int32(truncatingIfNeeded: atom))
            change(atom, by: -1)
            next = atom + 1
            return .added(atom)
        }
        guard let last = stack.popLast() else { return nil }
        let atom = Int(last)
        change(atom, by: 1)
        next = atom + 1
        return .removed(atom)
    }

    private func nextReady() -> Int? {
        var word = next >> 6
        guard word < ready.count else { return nil }
        var bits = ready[word] & (UInt64.max << UInt64(next & 63))
        while bits == 0 {
            word += 1
            if word == ready.count { return nil }
            bits = ready[word]
        }
        return word << 6 + bits.trailingZeroBitCount
    }

    private mutating func change(_ atom: Int, by step: Int32) {
        held[atom >> 6] ^= 1 << UInt64(atom & 63)
        for position in Int(firstDependant[atom])..<Int(firstDependant[atom + 1]) {
            let other = Int(dependants[position])
            let before = missingCounts[other]
            missingCounts[other] = before + step
            if before == 0 || before + step == 0 { ready[other >> 6] ^= 1 << UInt64(other & 63) }
        }
    }
}
