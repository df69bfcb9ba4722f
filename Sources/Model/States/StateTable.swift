import Bytes

/// The slots of a walk, numbered densely, each with its current version, and the changes that each atom makes to them.
/// What no atom can change has no slot; it is part of the hash of a directory above it.
///
/// Node 0 is the root.
struct StateTable {
    struct Change {
        enum Kind {
            case unit
            case size(UInt64)
            /// An attribute's new hash.
            case value(StateHash)
            case name
        }

        var kind: Kind
        var node: Int32
        var slot: Int32 = 0
        /// For a unit: the number of the change in its slot. For a name: the node that it refers to afterwards, or -1.
        var detail: Int32 = 0
    }

    let hasher: TreeHasher
    private let unitBytes: UInt64

    var nodes: [StateHash] = []
    var sizes: [UInt64] = []
    var units: [UnitSlot] = []
    var values: [StateHash] = []
    /// For each name: the node that it refers to, or -1.
    var children: [Int32] = []
    private(set) var directories: [Int32] = []
    private(set) var nameHashes: [StateHash] = []
    /// The names that may refer to each node.
    private(set) var slotsOfChild: [Int32] = []
    private(set) var firstSlotOfChild: [Int] = []
    private(set) var changes: [Change] = []
    private(set) var firstChange: [Int] = [0]

    private var numbers: [InodeID: Int] = [:]
    private var names: [DirectoryEntry: Int] = [:]
    private var attributeSlots: [InodeID: Int] = [:]
    private var extendedAttributeSlots: [InodeID: [ByteString: Int]] = [:]
    private var unitRange: [Range<Int>] = []

    init(
        _ durable: Tree, _ graph: AtomGraph, _ hasher: TreeHasher, _ known: NodeHashes, unitBytes: UInt64
    ) throws {
        self.hasher = hasher
        self.unitBytes = unitBytes
        let base = try known.base(durable, graph.effects, hasher)
        for (number, node) in base.nodes.enumerated() { numbers[node.inode] = number }
        // Grouped by inode: a store of many new files has as many inodes as effects.
        let effects = Dictionary(grouping: graph.effects.indices, by: { graph.effects[$0].effect.inode })
        for (inode, hash) in base.nodes {
            nodes.append(hash)
            try enterNode(durable.nodes[inode]!, graph, effects[inode] ?? [])
        }
        for (entry, child) in base.names { enterName(entry, numbers[child]) }
        for pending in graph.effects { if case .name(let entry, _) = pending.effect { enterName(entry, nil) } }
        enterChildren(graph)
        for index in graph.atoms.indices {
            enterChanges(of: graph.atoms[index], graph, durable)
            firstChange.append(changes.count)
        }
    }

    @inline(__always)
    func contribution(of slot: Int) -> StateHash {
        let child = Int(children[slot])
        return child < 0 ? .zero : .mixed(nameHashes[slot], nodes[child])
    }

    func unitSlots(of node: Int, meeting range: Range<UInt64>) -> Range<Int> {
        let slots = unitRange[node]
        var first = slots.lowerBound
        var count = slots.count
        while count > 0 {
            let half = count / 2
            if units[first + half].startBytes + unitBytes <= range.lowerBound {
                first += half + 1
                count -= half + 1
            } else {
                count = half
            }
        }
        var end = first
        while end < slots.upperBound, units[end].startBytes < range.upperBound { end += 1 }
        return first..<end
    }

    // MARK: - Building

    private mutating func enterNode(_ node: Node, _ graph: AtomGraph, _ effects: [Int]) throws {
        sizes.append(node.sizeBytes)
        let begin = units.count
        for start in touchedUnits(node, graph, effects) {
            var content = ExtentMap()
            for extent in node.content.slice(start..<start + unitBytes) {
                content.write(extent.data, at: extent.offsetBytes)
            }
            units.append(try UnitSlot(startBytes: start, unitBytes: unitBytes, content, hasher))
        }
        unitRange.append(begin..<units.count)
    }

    /// The units that atoms write, and the units with content that atoms zero, truncate or expose.
    ///
    /// - Parameter effects: the indices of the effects that change this node.
    private func touchedUnits(_ node: Node, _ graph: AtomGraph, _ effects: [Int]) -> [UInt64] {
        guard !effects.isEmpty else { return [] }
        var starts: Set<UInt64> = []
        var changing = RangeSet<UInt64>()
        for index in effects {
            switch graph.effects[index].effect {
            case .write:
                for range in graph.effects[index].pendingBytes.ranges {
                    for unit in range.cut(at: unitBytes) { starts.insert(unit.lowerBound / unitBytes * unitBytes) }
                }
            case .zero(_, let range): changing.insert(contentsOf: range)
            case .grow(_, _, let to), .resize(_, let to):
                changing.insert(contentsOf: min(to, node.sizeBytes)..<max(to, node.sizeBytes))
            default: break
            }
        }
        for range in changing.ranges {
            for extent in node.content.slice(range) {
                for unit in (extent.offsetBytes..<extent.endBytes).cut(at: unitBytes) {
                    starts.insert(unit.lowerBound / unitBytes * unitBytes)
                }
            }
        }
        return starts.sorted()
    }

    private mutating func enterName(_ entry: DirectoryEntry, _ child: Int?) {
        guard names[entry] == nil, let directory = numbers[entry.directory] else { return }
        names[entry] = children.count
        children.append(Int32(child ?? -1))
        directories.append(Int32(directory))
        nameHashes.append(hasher.name(entry.name))
    }

    /// Builds the map from nodes to names. Then adds to every directory's hash those of its children, deepest first.
    private mutating func enterChildren(_ graph: AtomGraph) {
        var lists = [Set<Int32>](repeating: [], count: nodes.count)
        for (slot, child) in children.enumerated() where child >= 0 { lists[Int(child)].insert(Int32(slot)) }
        for pending in graph.effects {
            guard case .name(let entry, let inode?) = pending.effect, let slot = names[entry], let node = numbers[inode]
            else { continue }
            lists[node].insert(Int32(slot))
        }
        firstSlotOfChild = [0]
        for list in lists {
            slotsOfChild += list.sorted()
            firstSlotOfChild.append(slotsOfChild.count)
        }
        var slotsOfDirectory: [Int32: [Int]] = [:]
        for (slot, directory) in directories.enumerated() { slotsOfDirectory[directory, default: []].append(slot) }
        var isDone = [Bool](repeating: false, count: nodes.count)
        func finish(_ node: Int, _ table: inout StateTable) {
            guard !isDone[node] else { return }
            isDone[node] = true
            for slot in slotsOfDirectory[Int32(node)] ?? [] where table.children[slot] >= 0 {
                finish(Int(table.children[slot]), &table)
                table.nodes[node] ^= table.contribution(of: slot)
            }
        }
        for node in nodes.indices { finish(node, &self) }
    }

    private mutating func enterChanges(of atom: AtomGraph.Atom, _ graph: AtomGraph, _ durable: Tree) {
        let effect = graph.effects[atom.effectIndex].effect
        switch atom.piece {
        case .whole: enter(graph.effects[atom.effectIndex], durable)
        case .pair:
            enter(graph.effects[atom.effectIndex], durable)
            enter(graph.effects[atom.effectIndex + 1], durable)
        case .unit(let bytes): enterData(effect, bytes)
        case .size(let size): enterSize(effect, size)
        case .prefix(let bytes, let size):
            enterData(effect, bytes)
            if let size { enterSize(effect, size) }
        }
    }

    private mutating func enter(_ pending: PendingEffect, _ durable: Tree) {
        guard let node = numbers[pending.effect.inode] else { return }
        switch pending.effect {
        case .write, .zero: for range in pending.remainingBytes.ranges { enterData(pending.effect, range) }
        case .grow(_, _, let to), .resize(_, let to): enterSize(pending.effect, to)
        case .name(let entry, let inode):
            let child = inode.flatMap { numbers[$0] } ?? -1
            changes.append(
                Change(kind: .name, node: Int32(node), slot: Int32(names[entry]!), detail: Int32(child)))
        case .attributes(let inode, let attributes):
            if attributeSlots[inode] == nil {
                attributeSlots[inode] = values.count
                values.append(hasher.attributes(durable.nodes[inode]!.attributes))
            }
            enterValue(node, attributeSlots[inode]!, hasher.attributes(attributes))
        case .extendedAttribute(let inode, let name, let value):
            if extendedAttributeSlots[inode]?[name] == nil {
                extendedAttributeSlots[inode, default: [:]][name] = values.count
                values.append(hasher.extendedAttribute(name, durable.nodes[inode]!.extendedAttributes[name]))
            }
            let slot = extendedAttributeSlots[inode]![name]!
            enterValue(node, slot, hasher.extendedAttribute(name, value))
        }
    }

    private mutating func enterValue(_ node: Int, _ slot: Int, _ hash: StateHash) {
        changes.append(Change(kind: .value(hash), node: Int32(node), slot: Int32(slot)))
    }

    private mutating func enterSize(_ effect: Effect, _ size: UInt64) {
        guard let node = numbers[effect.inode] else { return }
        changes.append(Change(kind: .size(size), node: Int32(node)))
    }

    private mutating func enterData(_ effect: Effect, _ bytes: Range<UInt64>) {
        guard let node = numbers[effect.inode] else { return }
        for slot in unitSlots(of: node, meeting: bytes) {
            let change = units[slot].append(effect, bytes)
            changes.append(Change(kind: .unit, node: Int32(node), slot: Int32(slot), detail: change))
        }
    }
}
