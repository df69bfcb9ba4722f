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
    private var undo: [Saved] = []
    private var undoBegins: [Int] = []
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
    public func survivors() -> Survivors { graph.survivors(walk.members[...]) }

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

    /// The hash of the state that a crash with these survivors leaves, at the price of what they keep. Asked before the
    /// walk has begun, and with survivors of its own set.
    public mutating func hash(of survivors: Survivors) throws -> StateHash {
        precondition(undoBegins.isEmpty, "asked at the beginning of the walk")
        for atom in graph.atoms.indices where graph.isKept(atom, in: survivors) { try add(atom) }
        defer { while !undoBegins.isEmpty { takeBack() } }
        return hash
    }

    /// Goes to the next state; false after the last.
    public mutating func next() throws -> Bool {
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

    private enum Saved {
        case node(Int, StateHash)
        case value(Int, StateHash)
        case unit(Int, Int32)
        case size(Int, UInt64)
        case child(Int, Int32)
    }

    private mutating func takeBack() {
        let begin = undoBegins.removeLast()
        while undo.count > begin {
            switch undo.removeLast() {
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
