import Bytes

/// The atoms that change each place that a recovery may read.
struct AtomTouches {
    /// An atom that changes these bytes of a file; for other places all of the place.
    struct Touch {
        var atom: Int
        var bytes: Range<UInt64>
    }

    private struct NameChange {
        var atom: Int
        var inode: InodeID?
    }

    private let durable: Tree
    private var data: [InodeID: [Touch]] = [:]
    private var sizes: [InodeID: [Int]] = [:]
    private var attributes: [InodeID: [Int]] = [:]
    private var extendedAttributes: [InodeID: [Int]] = [:]
    private var names: [DirectoryEntry: [NameChange]] = [:]
    private var namesOfDirectory: [InodeID: [DirectoryEntry]] = [:]

    init(_ set: PendingSet, _ graph: AtomGraph) {
        durable = set.durable
        for (number, atom) in graph.atoms.enumerated() {
            let pending = graph.effects[atom.effectIndex]
            switch atom.piece {
            case .whole: enter(pending, number)
            case .pair:
                enter(pending, number)
                enter(graph.effects[atom.effectIndex + 1], number)
            case .unit(let bytes): enterData(pending, bytes, number)
            case .size: sizes[pending.effect.inode, default: []].append(number)
            case .prefix(let bytes, let size):
                enterData(pending, bytes, number)
                if size != nil { sizes[pending.effect.inode, default: []].append(number) }
            }
        }
    }

    private mutating func enter(_ pending: PendingEffect, _ atom: Int) {
        switch pending.effect {
        case .write, .zero: for range in pending.remainingBytes.ranges { enterData(pending, range, atom) }
        case .grow(let inode, _, _), .resize(let inode, _): sizes[inode, default: []].append(atom)
        case .name(let entry, let inode):
            if names[entry] == nil { namesOfDirectory[entry.directory, default: []].append(entry) }
            names[entry, default: []].append(NameChange(atom: atom, inode: inode))
        case .attributes(let inode, _): attributes[inode, default: []].append(atom)
        case .extendedAttribute(let inode, _, _): extendedAttributes[inode, default: []].append(atom)
        }
    }

    private mutating func enterData(_ pending: PendingEffect, _ bytes: Range<UInt64>, _ atom: Int) {
        data[pending.effect.inode, default: []].append(Touch(atom: atom, bytes: bytes))
    }

    // MARK: - Reads

    /// The atoms that change a place, in order, if that is the same in every state; nil if it depends on the names that a
    /// crash keeps.
    func touches(_ read: Read) -> [Touch]? {
        var inode = InodeID.root
        for name in read.path.components {
            let entry = DirectoryEntry(inode, name)
            if names[entry] != nil { return nil }
            guard let child = durable[entry] else { return [] }
            inode = child
        }
        if case .listing = read { return namesOfDirectory[inode] == nil ? [] : nil }
        return touches(read, of: inode)
    }

    private func touches(_ read: Read, of inode: InodeID) -> [Touch] {
        let atoms: [Int]?
        switch read {
        case .data(_, let range): return (data[inode] ?? []).filter { $0.bytes.overlaps(range) }
        case .size: atoms = sizes[inode]
        case .attributes: atoms = attributes[inode]
        case .extendedAttributes: return (extendedAttributes[inode] ?? []).map { Touch(atom: $0, bytes: 0..<0) }
        case .name, .listing: atoms = nil
        }
        return (atoms ?? []).map { Touch(atom: $0, bytes: 0..<UInt64.max) }
    }

    /// Calls `body` with the atoms on which the value of a read depends in a state, those that matter first: all states
    /// with the same of them have the same value there.
    func forEachRelevant(_ read: Read, in members: [UInt64], _ body: (Int) -> Void) {
        var inode = InodeID.root
        for name in read.path.components {
            let entry = DirectoryEntry(inode, name)
            guard let child = child(entry, in: members, body) else { return }
            inode = child
        }
        if case .listing = read {
            for entry in namesOfDirectory[inode] ?? [] { _ = child(entry, in: members, body) }
        } else {
            Self.forEachRelevant(of: touches(read, of: inode), read, in: members, body)
        }
    }

    /// The inode at a name.
    private func child(_ entry: DirectoryEntry, in members: [UInt64], _ body: (Int) -> Void) -> InodeID? {
        for change in (names[entry] ?? []).reversed() {
            body(change.atom)
            if members.holds(change.atom) { return change.inode }
        }
        return durable[entry]
    }

    /// Of atoms that change a place, those that matter. An atom whose bytes a later kept one replaces does not.
    static func forEachRelevant(
        of touches: [Touch], _ read: Read, in members: [UInt64], _ body: (Int) -> Void
    ) {
        let wanted: Range<UInt64> = if case .data(_, let range) = read { range } else { 0..<UInt64.max }
        var covers: [Range<UInt64>] = []
        for touch in touches.reversed() {
            let visible = touch.bytes.clamped(to: wanted)
            if !visible.isEmpty, covers.contains(where: { $0.contains(visible) }) { continue }
            body(touch.atom)
            if members.holds(touch.atom) { covers.append(touch.bytes) }
        }
    }
}
