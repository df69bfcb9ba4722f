import Bytes

/// Walks all crash states of a pending set and computes the hash of each incrementally: the cost is that of the last step.
///
/// Consecutive states differ by one atom. All data of a step is in arrays with dense numbers: units with their versions,
/// sizes, names and attributes with their hashes. No tree, string or dictionary is made for a state; `survivors` derives
/// them for the states that need it.
///
/// Equal hashes mean equal visible trees. The walk visits each legal set of atoms once; several sets may give the same
/// tree.
public struct StateWalker: ~Copyable {
    private let graph: AtomGraph
    private var walk: IdealWalk
    private var table: StateTable
    private var undo = OwnedList<Saved>()
    private var undoBegins = OwnedList<Int>()
    /// The state of the last `choose`: its atoms, one bit each, and the atoms in the order in which they were added.
    private var chosen: [UInt64] = []
    private var added: [Int] = []
    private var isOver = false

    /// The hash of the current state's visible tree.
    public var hash: StateHash { table.nodes[0] }

    /// Starts at the state that loses every atom. Throws if `payloads` cannot be read.
    ///
    /// - Parameter known: a cache of inode hashes, shared by walks of sets with the same payloads.
    public init(_ set: PendingSet, payloads: any PayloadStore, known: NodeHashes? = nil) throws {
        graph = AtomGraph(set)
        walk = IdealWalk(graph)
        table = try StateTable(
            set.durable, graph, TreeHasher(payloads: payloads), known ?? NodeHashes(), unitBytes: set.unitBytes)
    }

    /// The number of atoms: unsynced changes that survive or not.
    public var atomCount: Int { graph.atoms.count }

    /// Whether there are more states than `count`. Walks the states without hashing them.
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

    /// The survivors of the current state.
    public func survivors() -> Survivors { graph.survivors(Array(walk.members)[...]) }

    /// Moves the current state and the following ones into `block`, at most `count`. False if there were none left.
    public mutating func take(_ count: Int, into block: inout StateBlock) throws -> Bool {
        block.removeAll()
        while !isOver, block.hashes.count < count {
            block.append(hash, walk)
            isOver = try !next()
        }
        return !block.hashes.isEmpty
    }

    /// The survivors of a state in a block of this walk.
    public func survivors(_ state: Int, of block: StateBlock) -> Survivors {
        graph.survivors(block.members(of: state))
    }

    /// Moves to the next state; false after the last.
    public mutating func next() throws -> Bool {
        precondition(added.isEmpty, "a walk is not mixed with choices")
        while let step = walk.advance() {
            switch step {
            case .added(let atom):
                try add(atom)
                return true
            case .removed: backtrack()
            }
        }
        return false
    }

    // MARK: - Choosing

    /// The indices of the effects that may be lost, among the pending effects of the set.
    public var optionalEffects: [Int] { graph.effects.indices.filter { !graph.atomsOfEffect[$0].isEmpty } }

    /// Moves to the state of a crash with these survivors. The cost depends on the difference from the last chosen state.
    /// The survivors must be of the walker's own set. Not to be mixed with `next`.
    public mutating func choose(_ survivors: Survivors) throws {
        var members = emptyMembers
        for atom in graph.atoms.indices where graph.isKept(atom, in: survivors) { members.insert(atom) }
        try go(to: members)
    }

    /// Moves to the state with these atoms, one bit each, which must be a legal state. Not to be mixed with `next`.
    package mutating func choose(members: [UInt64]) throws { try go(to: members) }

    /// Moves to the state that loses exactly the effects for which `isLost` is true and all effects that depend on them.
    public mutating func choose(losing isLost: (_ effectIndex: Int) -> Bool) throws {
        var members = emptyMembers
        for atom in graph.atoms.indices {
            let isKept = graph.effects(of: atom).allSatisfy { !isLost($0) }
            if isKept, graph.dependencies[atom].allSatisfy({ members.holds(Int($0)) }) { members.insert(atom) }
        }
        try go(to: members)
    }

    /// The survivors of the last chosen state.
    public func chosenSurvivors() -> Survivors { graph.survivors(chosen[...]) }

    /// Whether the last chosen state loses nothing.
    public var isEverythingChosen: Bool { added.count == graph.atoms.count }

    private var emptyMembers: [UInt64] { [UInt64](repeating: 0, count: walk.members.count) }

    /// Removes atoms down to the first that differs, and adds the wanted ones from there.
    private mutating func go(to members: [UInt64]) throws {
        precondition(undoBegins.count == added.count, "a walk is not mixed with choices")
        if chosen.isEmpty { chosen = emptyMembers }
        guard let first = chosen.firstDifference(members) else { return }
        while let last = added.last, last >= first {
            added.removeLast()
            backtrack()
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

    private mutating func backtrack() {
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
        for position in table.firstChange[atom]..<table.firstChange[atom + 1] { try apply(table.changes[position]) }
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

    /// Sets the hash of a node, and updates every directory above it.
    private mutating func replace(_ node: Int, _ before: StateHash, _ after: StateHash) {
        guard before != after else { return }
        undo.append(.node(node, before))
        table.nodes[node] = after
        for position in table.firstSlotOfChild[node]..<table.firstSlotOfChild[node + 1] {
            let slot = Int(table.slotsOfChild[position])
            guard Int(table.children[slot]) == node else { continue }
            let directory = Int(table.directories[slot])
            let old = table.nodes[directory]
            let name = table.nameHashes[slot]
            replace(directory, old, old ^ .mixed(name, before) ^ .mixed(name, after))
        }
    }
}
