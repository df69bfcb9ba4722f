/// Making durable where what a barrier promises stands together in the queues: the cost is in proportion to what becomes
/// durable. Mostly no operation was in flight when the barrier began, and effects leave from the front of their queues.
///
/// All of it follows from `BarrierCoverage` and `Requirements`, and is said once more here for speed alone.
extension PendingSet {
    /// Commits what a barrier covers, if there is a fast way. False, and nothing changed, if there is none.
    mutating func commitFast(_ coverage: BarrierCoverage) -> Bool {
        let (state, inode) = (coverage.state, coverage.inode)
        if case .forceUnitAccess = state.barrier { return false }
        switch (coverage.scope, rules.order) {
        case (.everything, .total):
            if let last = ordered.last(where: coverage.hasCompleted) { commitOrdered(upTo: last.number) }
        case (.everything, _):
            guard state.allHadCompleted else { return false }
            commitEverything(before: state.firstNumber)
        case (.journal, .total): commitOrdered(upTo: coverage.journalCut)
        case (.journal, .metadata): commitJournal(coverage)
        case (.slots(let attributes, let ownNames), .slots) where !rules.growthFollowsMetadata:
            commitData(of: inode, coverage)
            if attributes { commitAttributes(of: inode, coverage) }
            commitNames(in: attributes ? inode : nil, of: ownNames ? inode : nil, coverage.hasCompleted)
        case (.journal, .slots), (.slots, _): return false
        }
        return true
    }

    /// The journal is written up to the inode's last change, and before that its data.
    private mutating func commitJournal(_ coverage: BarrierCoverage) {
        commitOrdered(upTo: coverage.journalCut)
        if !coverage.state.allHadCompleted, let at = inodes.place(of: coverage.inode), inodes[at: at].orderedCount > 0 {
            // A truncate that is under way may stand between writes that are covered.
            commit { _, part in
                !part.effect.isMetadata && part.effect.inode == coverage.inode && coverage.hasCompleted(part)
            }
        } else {
            commitData(of: coverage.inode, coverage)
        }
    }

    private mutating func commitData(of inode: InodeID, _ coverage: BarrierCoverage) {
        if coverage.state.allHadCompleted {
            commitData(of: inode, before: coverage.state.firstNumber)
        } else {
            commit(\.data, of: inode, coverage.hasCompleted)
        }
    }

    private mutating func commitAttributes(of inode: InodeID, _ coverage: BarrierCoverage) {
        if coverage.state.allHadCompleted {
            commitOthers(of: inode, before: coverage.state.firstNumber)
        } else {
            commit(\.others, of: inode, coverage.hasCompleted)
        }
    }

    mutating func commitEverything(before limit: Int) {
        commitOrdered(before: limit)
        guard rules.order != .total else { return }
        for inode in inodes.inodes {
            commitData(of: inode, before: limit)
            commitOthers(of: inode, before: limit)
        }
    }

    /// A killed process loses nothing that took effect; only a write that the kill interrupts may be cut short.
    mutating func persistEverything(butLastWrite: Bool) {
        if butLastWrite, ordered.first?.isWrite == true { return }
        rules.order == .total ? commitOrdered(before: nextNumber) : commitEverything(before: nextNumber)
    }

    mutating func commitOrdered(upTo cut: Int) {
        if let first = ordered.first, first.number <= cut { commitOrdered(before: cut + 1) }
    }

    private mutating func commitOrdered(before limit: Int) {
        while let part = ordered.first, part.number < limit {
            ordered.removeFirst(upTo: ordered.startIndex + 1)
            effectCount -= 1
            guard let at = inodes.place(of: part.effect.inode) else {
                strayCount -= 1
                continue
            }
            inodes[at: at].orderedCount -= 1
            commit(part)
        }
    }

    private mutating func commit(_ part: PendingEffect) {
        switch part.effect {
        case .name(let entry, let inode):
            commitName(entry, inode)
        case .zero, .resize:
            if rules.order == .metadata { override(part) }
            apply(part)
        default: apply(part)
        }
    }

    /// Static: to work on a part of a set by a method of the set would copy the whole tree.
    static func apply(_ part: PendingEffect, to tree: inout Tree) {
        if part.gone.isEmpty { tree.apply(part.effect) } else { tree.apply(part.effect, within: part.remainingBytes) }
    }

    mutating func apply(_ part: PendingEffect) {
        PendingSet.apply(part, to: &durable)
        supersedeFailedFsync(part)
    }

    /// Data that became durable settles what it lies over of the data of a failed fsync. Of the part, `bytes` or all.
    mutating func supersedeFailedFsync(_ part: PendingEffect, _ bytes: RangeSet<UInt64>? = nil) {
        guard let at = inodes.place(of: part.effect.inode), !inodes[at: at].failedFsync.isEmpty else { return }
        effectCount -= inodes[at: at].failedFsync.supersede(to: bytes ?? part.remainingBytes, of: part.number)
    }

    /// Takes out of the inode's earlier data what a zero version overrides, and the growth that a size does.
    private mutating func override(_ part: PendingEffect) {
        guard let at = inodes.place(of: part.effect.inode), !inodes[at: at].data.isEmpty else { return }
        var emptied = false
        for index in inodes[at: at].data.indices {
            guard inodes[at: at].data[index].number < part.number else { break }
            inodes[at: at].data[index].supersede(to: part)
            emptied = emptied || inodes[at: at].data[index].isSpent
        }
        guard emptied else { return }
        let before = inodes[at: at].data.count
        inodes[at: at].data.removeAll(where: \.isSpent)
        effectCount -= before - inodes[at: at].data.count
    }

    mutating func commitData(of inode: InodeID, before limit: Int) {
        guard let at = inodes.place(of: inode), inodes[at: at].data.begins(before: limit) else { return }
        supersedeFailedFsync(inodes[at: at].data, before: limit, at)
        effectCount -= inodes[at: at].data.applyPrefix(before: limit, to: &durable, inode)
    }

    mutating func commitOthers(of inode: InodeID, before limit: Int) {
        guard let at = inodes.place(of: inode), inodes[at: at].others.begins(before: limit) else { return }
        supersedeFailedFsync(inodes[at: at].others, before: limit, at)
        effectCount -= inodes[at: at].others.applyPrefix(before: limit, to: &durable, inode)
    }

    private mutating func supersedeFailedFsync(_ queue: EffectQueue, before limit: Int, _ at: Int) {
        guard !inodes[at: at].failedFsync.isEmpty else { return }
        for part in queue.prefix(while: { $0.number < limit }) { supersedeFailedFsync(part) }
    }
}

extension EffectQueue {
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

extension PendingEffect {
    /// Of data: the bytes that are not gone.
    var remainingBytes: RangeSet<UInt64> {
        guard let range = effect.dataRange else { return RangeSet() }
        return RangeSet(range).subtracting(gone)
    }

    /// Forgets what a later part, now durable, overrides in the same slots.
    mutating func supersede(to later: PendingEffect) {
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
    mutating func commitNames(in directory: InodeID?, of inode: InodeID?, _ isPromised: (PendingEffect) -> Bool) {
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
            effectCount -= 1
            if let at = inodes.place(of: entry.directory) { inodes[at: at].orderedCount -= 1 } else { strayCount -= 1 }
            commitName(entry, child)
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

    mutating func commitName(_ entry: Entry, _ inode: InodeID?) {
        let old = durable[entry]
        durable.apply(.name(entry, inode))
        // A pending name that becomes durable still counts once; the name that it displaced counts no more.
        if let old { dropName(of: old) }
    }

    mutating func dropName(of inode: InodeID) {
        guard let at = inodes.place(of: inode) else { return }
        inodes[at: at].nameCount -= 1
        guard inodes[at: at].nameCount == 0, inode != .root, let state = inodes.remove(inode) else { return }
        effectCount -= state.data.count + state.others.count + state.failedFsync.count
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
        effectCount -= before - ordered.count
        strayCount -= before - ordered.count
    }
}
