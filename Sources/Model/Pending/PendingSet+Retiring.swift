/// Making durable where everything that a barrier covers is simply what came before it: no operation was in flight when
/// it began. Parts then leave from the front of their queues.
extension PendingSet {
    mutating func retireEverything(before limit: Int) {
        retireOrdered(before: limit)
        guard rules.order != .total else { return }
        for inode in inodes.inodes {
            retireData(of: inode, before: limit)
            retireOthers(of: inode, before: limit)
        }
    }

    /// A killed process loses nothing that took effect; only a write that the kill interrupts may be cut short.
    mutating func persistEverything(butLastWrite: Bool) {
        if butLastWrite, ordered.first?.isWrite == true { return }
        rules.order == .total ? retireOrdered(before: nextNumber) : retireEverything(before: nextNumber)
    }

    mutating func retireOrdered(upTo cut: Int) {
        if let first = ordered.first, first.number <= cut { retireOrdered(before: cut + 1) }
    }

    private mutating func retireOrdered(before limit: Int) {
        while let part = ordered.first, part.number < limit {
            ordered.removeFirst(upTo: ordered.startIndex + 1)
            partCount -= 1
            guard let at = inodes.place(of: part.effect.inode) else {
                strayCount -= 1
                continue
            }
            inodes[at: at].orderedCount -= 1
            retire(part)
        }
    }

    private mutating func retire(_ part: Part) {
        switch part.effect {
        case .name(let entry, let inode):
            retireName(entry, inode)
        case .zero, .resize:
            if rules.order == .metadata { override(part) }
            apply(part)
        default: apply(part)
        }
    }

    /// Static: to work on a part of a set by a method of the set would copy the whole tree.
    static func apply(_ part: Part, to tree: inout Tree) {
        if part.gone.isEmpty { tree.apply(part.effect) } else { tree.apply(part.effect, within: part.remainingBytes) }
    }

    mutating func apply(_ part: Part) {
        PendingSet.apply(part, to: &durable)
        overrideDoubtful(part)
    }

    /// Data that became durable settles what it lies over of the data in doubt. Of the part, `bytes` or all.
    mutating func overrideDoubtful(_ part: Part, _ bytes: RangeSet<UInt64>? = nil) {
        guard let at = inodes.place(of: part.effect.inode), !inodes[at: at].doubtful.isEmpty else { return }
        partCount -= inodes[at: at].doubtful.giveWay(to: bytes ?? part.remainingBytes, of: part.number)
    }

    /// Takes out of the inode's earlier data what a zero version overrides, and the growth that a size does.
    private mutating func override(_ part: Part) {
        guard let at = inodes.place(of: part.effect.inode), !inodes[at: at].data.isEmpty else { return }
        var emptied = false
        for index in inodes[at: at].data.indices {
            guard inodes[at: at].data[index].number < part.number else { break }
            inodes[at: at].data[index].giveWay(to: part)
            emptied = emptied || inodes[at: at].data[index].isSpent
        }
        guard emptied else { return }
        let before = inodes[at: at].data.count
        inodes[at: at].data.removeAll(where: \.isSpent)
        partCount -= before - inodes[at: at].data.count
    }

    mutating func retireData(of inode: InodeID, before limit: Int) {
        guard let at = inodes.place(of: inode), inodes[at: at].data.begins(before: limit) else { return }
        overrideDoubtful(inodes[at: at].data, before: limit, at)
        partCount -= inodes[at: at].data.applyPrefix(before: limit, to: &durable, inode)
    }

    mutating func retireOthers(of inode: InodeID, before limit: Int) {
        guard let at = inodes.place(of: inode), inodes[at: at].others.begins(before: limit) else { return }
        overrideDoubtful(inodes[at: at].others, before: limit, at)
        partCount -= inodes[at: at].others.applyPrefix(before: limit, to: &durable, inode)
    }

    private mutating func overrideDoubtful(_ queue: PartQueue, before limit: Int, _ at: Int) {
        guard !inodes[at: at].doubtful.isEmpty else { return }
        for part in queue.prefix(while: { $0.number < limit }) { overrideDoubtful(part) }
    }
}

extension PartQueue {
    /// Whether there is a part with a number below `limit`.
    fileprivate func begins(before limit: Int) -> Bool {
        guard let first else { return false }
        return first.number < limit
    }

    /// Applies the parts of one inode with numbers below `limit`, and drops them. Returns how many these were.
    fileprivate mutating func applyPrefix(before limit: Int, to tree: inout Tree, _ inode: InodeID) -> Int {
        let end = last.map { $0.number < limit } == true ? endIndex : firstIndex(from: limit)
        let count = end - startIndex
        if let at = tree.nodes.index(forKey: inode) {
            for index in startIndex..<end {
                if self[index].gone.isEmpty {
                    tree.nodes.values[at].apply(self[index].effect)
                } else {
                    tree.nodes.values[at].apply(self[index].effect, within: self[index].remainingBytes)
                }
            }
        }
        removeFirst(upTo: end)
        return count
    }
}

extension Part {
    /// Of data: the bytes that are not gone.
    var remainingBytes: RangeSet<UInt64> {
        guard let range = effect.dataRange else { return RangeSet() }
        return RangeSet(range).subtracting(gone)
    }

    /// Forgets what a later part, now durable, overrides in the same slots.
    mutating func giveWay(to later: Part) {
        guard effect.inode == later.effect.inode else { return }
        switch (effect, later.effect) {
        case (.write, .write), (.write, .zero), (.zero, .write), (.zero, .zero):
            let common = effect.dataRange!.clamped(to: later.effect.dataRange!)
            if !common.isEmpty { gone.insert(contentsOf: common) }
        case (.grow, .resize): isOverridden = true
        default: break
        }
    }

    /// Nothing of it is left that a crash could keep or lose. A zero version that stands with a size stays with it.
    var isSpent: Bool {
        switch effect {
        case .write: remainingBytes.isEmpty
        case .zero: bond == .none && remainingBytes.isEmpty
        default: isOverridden
        }
    }
}

// MARK: - Names

extension PendingSet {
    /// Where each slot is on its own: makes the names in a directory durable, and those that mean an inode or did, with
    /// what they need.
    mutating func retireNames(in directory: InodeID?, of inode: InodeID?, _ isPromised: (Part) -> Bool) {
        guard !ordered.isEmpty else { return }
        var numbers: Set<Int> = []
        if let directory, let at = inodes.place(of: directory), inodes[at: at].orderedCount > 0 {
            for part in ordered where part.effect.inode == directory && isPromised(part) { numbers.insert(part.number) }
        }
        let place = inode.flatMap { inodes.place(of: $0) }
        if let place {
            for number in inodes[at: place].ownNames {
                if let index = ordered.index(of: number), isPromised(ordered[index]) { numbers.insert(number) }
            }
        }
        guard !numbers.isEmpty else { return }
        var open = Array(numbers)
        while let number = open.popLast() {
            for need in namesNeeded(by: number) where numbers.insert(need).inserted { open.append(need) }
        }
        for number in numbers.sorted() {
            guard let index = ordered.index(of: number), case .name(let entry, let child) = ordered[index].effect else {
                continue
            }
            ordered.remove(at: index)
            partCount -= 1
            if let at = inodes.place(of: entry.directory) { inodes[at: at].orderedCount -= 1 } else { strayCount -= 1 }
            retireName(entry, child)
        }
        if let inode, let at = inodes.place(of: inode) {
            inodes[at: at].ownNames.removeAll { ordered.index(of: $0) == nil }
        }
    }

    /// The names that survive if this one does: earlier versions, and the other half of its rename.
    private func namesNeeded(by number: Int) -> [Int] {
        guard let index = ordered.index(of: number) else { return [] }
        let part = ordered[index]
        var needed = [part.previousVersion, part.previousMove].filter { ordered.index(of: $0) != nil }
        if part.bond == .joinsNext, index + 1 < ordered.endIndex { needed.append(ordered[index + 1].number) }
        if index > ordered.startIndex, part.bond == .needsPrevious || ordered[index - 1].bond == .joinsNext {
            needed.append(ordered[index - 1].number)
        }
        return needed
    }

    mutating func retireName(_ entry: Entry, _ inode: InodeID?) {
        let old = durable[entry]
        durable.apply(.name(entry, inode))
        // A pending name that becomes durable still counts once; the name that it displaced counts no more.
        if let old { dropName(of: old) }
    }

    mutating func dropName(of inode: InodeID) {
        guard let at = inodes.place(of: inode) else { return }
        inodes[at: at].nameCount -= 1
        guard inodes[at: at].nameCount == 0, inode != .root, let state = inodes.remove(inode) else { return }
        partCount -= state.data.count + state.others.count + state.doubtful.count
        strayCount += state.orderedCount
        let node = durable.nodes.removeValue(forKey: inode)
        if let node, node.kind == .directory { dropNames(in: inode, node, pendingCount: state.orderedCount) }
        if strayCount > ordered.count / 2 + 32 { dropStrays() }
    }

    /// What lay in a directory that is gone for good has lost its names there.
    private mutating func dropNames(in directory: InodeID, _ node: Node, pendingCount: Int) {
        for (name, child) in node.entries {
            names[Entry(directory, name)] = nil
            dropName(of: child)
        }
        guard pendingCount > 0 else { return }
        for part in Array(ordered) {
            if case .name(let entry, let child?) = part.effect, entry.directory == directory {
                names[entry] = nil
                dropName(of: child)
            }
        }
    }

    private mutating func dropStrays() {
        let before = ordered.count
        ordered.removeAll { [inodes] in !inodes.contains($0.effect.inode) }
        partCount -= before - ordered.count
        strayCount -= before - ordered.count
    }
}
