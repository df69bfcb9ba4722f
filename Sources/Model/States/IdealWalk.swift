/// Visits every set of atoms that lacks nothing it needs, each once, one atom at a time.
///
/// The walk adds atoms in rising order and takes the last one back: a set is reached through its own beginnings, which
/// all lack nothing too, because needs point to earlier atoms. Neighbours therefore differ by one atom, and what a step
/// changes can be undone from a stack. A set costs two steps on average, whatever its size.
struct IdealWalk: ~Copyable {
    enum Step {
        /// The walk has come to a set that it had not visited.
        case added(Int)
        /// On the way to another one.
        case removed(Int)
    }

    private let dependants: OwnedList<Int32>
    private let firstDependant: OwnedList<Int32>
    /// How many needs of each atom are not in the set.
    private var unmet: OwnedList<Int32>
    /// Atoms whose needs are all in the set, a bit each; and the set.
    private var ready: OwnedList<UInt64>
    private var held: OwnedList<UInt64>
    private var stack = OwnedList<Int32>()
    /// Where to look for the next atom to add.
    private var next = 0
    private let count: Int

    init(_ graph: borrowing AtomGraph) {
        count = graph.atoms.count
        let needCounts = graph.needs.map { Int32($0.count) }
        unmet = OwnedList(needCounts)
        var lists = [[Int32]](repeating: [], count: count)
        for (atom, needs) in graph.needs.enumerated() {
            for need in needs { lists[Int(need)].append(Int32(atom)) }
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
        for atom in 0..<count where needCounts[atom] == 0 { words[atom >> 6] |= 1 << UInt64(atom & 63) }
        ready = OwnedList(words)
    }

    /// The atoms of the set that the walk is at, a bit each; for as long as it does not go on.
    var members: UnsafeBufferPointer<UInt64> { held.elements }

    /// Goes one step; nil after the last.
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
        for place in Int(firstDependant[atom])..<Int(firstDependant[atom + 1]) {
            let other = Int(dependants[place])
            let before = unmet[other]
            unmet[other] = before + step
            if before == 0 || before + step == 0 { ready[other >> 6] ^= 1 << UInt64(other & 63) }
        }
    }
}
