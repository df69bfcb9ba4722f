import Bytes

/// Walks all crash states of a pending set and knows the hash of each, at the price of what the last step changed.
///
/// Neighbours differ by one atom. Everything that a step needs is in arrays under dense numbers: units with the contents
/// that they take on, sizes, names and attributes with their hashes. No tree, string or dictionary is made for a state;
/// `survivors` and the tree are there for the states that are worth it.
///
/// Equal hashes mean equal visible trees; the walk visits each legal set of atoms once, so that a tree can come up more
/// than once.
public struct StateWalker: ~Copyable {
    private let graph: AtomGraph
    private var walk: IdealWalk
    private var table: StateTable
    private var undo = OwnedList<Saved>()
    private var undoBegins = OwnedList<Int>()
    /// The state that was last chosen, if any: its atoms, a bit each, and in the order in which they were added.
    private var chosen: [UInt64] = []
    private var added: [Int] = []
    private var isOver = false

    /// The hash of the current state's visible tree.
    public var hash: StateHash { table.nodes[0] }

    /// Begins with the state in which everything optional is lost. Throws when `payloads` cannot be read.
    ///
    /// - Parameter known: hashes of inodes from walks of other sets with the same payloads.
    public init(_ set: PendingSet, payloads: any PayloadStore, known: NodeHashes? = nil) throws {
        graph = AtomGraph(set)
        walk = IdealWalk(graph)
        table = try StateTable(
            set.durable, graph, TreeHasher(payloads: payloads), known ?? NodeHashes(), unitBytes: set.unitBytes)
    }

    /// How many atoms are optional.
    public var atomCount: Int { graph.atoms.count }

    /// Whether there are more states than `count`: what walking them would tell, without their hashes.
    public func hasMoreStates(than count: Int) -> Bool {
        var counting = IdealWalk(graph)
        var left = count - 1
        while let step = counting.advance() {
            guard case .added = step else { continue }
            left -= 1
            if left < 0 { return true }
        }
        return false
    }

    /// What survives in the current state.
    public func survivors() -> Survivors { graph.survivors(Array(walk.members)[...]) }

    /// Takes the current state and those after it into `block`, at most `count`; false when there were none left.
    public mutating func take(_ count: Int, into block: inout StateBlock) throws -> Bool {
        block.removeAll()
        while !isOver, block.hashes.count < count {
            block.append(hash, walk)
            isOver = try !next()
        }
        return !block.hashes.isEmpty
    }

    /// What survives in a state of a block of this walk.
    public func survivors(_ state: Int, of block: StateBlock) -> Survivors {
        graph.survivors(block.members(of: state))
    }

    /// Goes to the next state; false after the last.
    public mutating func next() throws -> Bool {
        precondition(added.isEmpty, "a walk is not mixed with choices")
        while let step = walk.advance() {
            switch step {
            case .added(let atom):
                try add(atom)
                return true
            case .removed: takeBack()
            }
        }
        return false
    }

    // MARK: - Choosing

    /// The parts that may be lost: their places in the set.
    public var optionalParts: [Int] { graph.parts.indices.filter { !graph.atomsOfPart[$0].isEmpty } }

    /// Goes to the state that a crash with these survivors leaves, at the price of how it differs from the one before;
    /// not beside a walk, and with survivors of the walker's own set.
    public mutating func choose(_ survivors: Survivors) throws {
        var members = emptyMembers
        for atom in graph.atoms.indices where graph.isKept(atom, in: survivors) { members.insert(atom) }
        try go(to: members)
    }

    /// Goes to the state that loses the parts for which `isLost` is true and what needs them, and nothing else.
    public mutating func choose(losing isLost: (_ part: Int) -> Bool) throws {
        var members = emptyMembers
        for atom in graph.atoms.indices {
            let isKept = graph.parts(of: atom).allSatisfy { !isLost($0) }
            if isKept, graph.needs[atom].allSatisfy({ members.holds(Int($0)) }) { members.insert(atom) }
        }
        try go(to: members)
    }

    /// What survives in the state that was chosen last.
    public func chosenSurvivors() -> Survivors { graph.survivors(chosen[...]) }

    /// The state that was chosen last loses nothing.
    public var isEverythingChosen: Bool { added.count == graph.atoms.count }

    private var emptyMembers: [UInt64] { [UInt64](repeating: 0, count: walk.members.count) }

    /// Takes back down to the first atom that differs, and adds from there on.
    private mutating func go(to members: [UInt64]) throws {
        precondition(undoBegins.count == added.count, "a walk is not mixed with choices")
        if chosen.isEmpty { chosen = emptyMembers }
        guard let first = chosen.firstDifference(members) else { return }
        while let last = added.last, last >= first {
            added.removeLast()
            takeBack()
        }
        chosen = members
        for atom in first..<graph.atoms.count where members.holds(atom) {
            try add(atom)
            added.append(atom)
        }
    }

    // MARK: - Steps

    enum Saved {
        case node(Int, StateHash)
        case value(Int, StateHash)
        case unit(Int, Int32)
        case size(Int, UInt64)
        case child(Int, Int32)
    }

    private mutating func takeBack() {
        let begin = undoBegins.popLast() ?? 0
        while undo.count > begin, let saved = undo.popLast() {
            switch saved {
            case .node(let node, let hash): table.nodes[node] = hash
            case .value(let slot, let hash): table.values[slot] = hash
            case .unit(let slot, let version): table.units[slot].setCurrent(version)
            case .size(let node, let size): table.sizes[node] = size
            case .child(let slot, let child): table.children[slot] = child
            }
        }
    }

    private mutating func add(_ atom: Int) throws {
        undoBegins.append(undo.count)
        for place in table.firstChange[atom]..<table.firstChange[atom + 1] { try apply(table.changes[place]) }
    }

    private mutating func apply(_ change: StateTable.Change) throws {
        let node = Int(change.node)
        let before = table.nodes[node]
        var after = before
        let slot = Int(change.slot)
        switch change.kind {
        case .unit:
            let size = table.sizes[node]
            after ^= try table.units[slot].hash(sizeBytes: size, table.hasher)
            undo.append(.unit(slot, table.units[slot].current))
            try table.units[slot].apply(change.detail, table.hasher)
            after ^= try table.units[slot].hash(sizeBytes: size, table.hasher)
        case .size(let size): try resize(node, to: size, &after)
        case .value(let hash):
            undo.append(.value(slot, table.values[slot]))
            after ^= table.values[slot] ^ hash
            table.values[slot] = hash
        case .name:
            undo.append(.child(slot, table.children[slot]))
            after ^= table.contribution(of: slot)
            table.children[slot] = change.detail
            after ^= table.contribution(of: slot)
        }
        replace(node, before, after)
    }

    private mutating func resize(_ node: Int, to size: UInt64, _ hash: inout StateHash) throws {
        let old = table.sizes[node]
        undo.append(.size(node, old))
        table.sizes[node] = size
        hash ^= table.hasher.size(old) ^ table.hasher.size(size)
        for slot in table.unitSlots(of: node, meeting: min(old, size)..<max(old, size)) {
            hash ^= try table.units[slot].hash(sizeBytes: old, table.hasher)
            hash ^= try table.units[slot].hash(sizeBytes: size, table.hasher)
        }
    }

    /// Gives a node another hash, and with it every directory that it can be reached from.
    private mutating func replace(_ node: Int, _ before: StateHash, _ after: StateHash) {
        guard before != after else { return }
        undo.append(.node(node, before))
        table.nodes[node] = after
        for place in table.firstSlotOfChild[node]..<table.firstSlotOfChild[node + 1] {
            let slot = Int(table.slotsOfChild[place])
            guard Int(table.children[slot]) == node else { continue }
            let directory = Int(table.directories[slot])
            let old = table.nodes[directory]
            let name = table.nameHashes[slot]
            replace(directory, old, old ^ .mixed(name, before) ^ .mixed(name, after))
        }
    }
}

/// A set of atoms, a bit each.
extension [UInt64] {
    fileprivate func holds(_ atom: Int) -> Bool { self[atom >> 6] >> UInt64(atom & 63) & 1 == 1 }
    fileprivate mutating func insert(_ atom: Int) { self[atom >> 6] |= 1 << UInt64(atom & 63) }

    /// The first atom that is in one of the sets alone.
    fileprivate func firstDifference(_ other: [UInt64]) -> Int? {
        for word in indices where self[word] != other[word] {
            return word << 6 + (self[word] ^ other[word]).trailingZeroBitCount
        }
        return nil
    }
}
