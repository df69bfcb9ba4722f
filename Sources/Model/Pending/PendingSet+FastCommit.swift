/// The fast commit: for barriers that cover a prefix of some queues. The cost is in proportion to the effects that become
/// durable. Usually no operation was in flight when the barrier began, and effects leave from the front of their queues.
///
/// The results follow from `BarrierCoverage` and `Requirements`; this code repeats them only for speed.
/// `RequirementsTests` compares both.
extension PendingSet {
    /// Commits the effects that a barrier covers. Returns false, and changes nothing, if there is no fast way.
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
        case (.slots(let attributes, let ownNames), _)
        where rules.queuesSlots && !rules.whenCommitted.growthFollowsMetadata:
            commitData(of: inode, coverage)
            if attributes { commitAttributes(of: inode, coverage) }
            commitNames(in: attributes ? inode : nil, of: ownNames ? inode : nil, coverage.hasCompleted)
        case (.journal, .slots), (.slots, _): return false
        }
        return true
    }

    /// Writes the inode's data, and the journal up to the inode's last change.
    private mutating func commitJournal(_ coverage: BarrierCoverage) {
        commitOrdered(upTo: coverage.journalCut)
        if !coverage.state.allHadCompleted, let at = inodes.index(of: coverage.inode), inodes[at: at].orderedCount > 0 {
            // A truncate in flight may lie between covered writes.
            commit { _, pending in
                !pending.effect.isMetadata && pending.effect.inode == coverage.inode && coverage.hasCompleted(pending)
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

    /// A killed process loses no completed change. Only the write that the kill interrupts may be cut short.
    mutating func persistEverything(butLastWrite: Bool) {
        if butLastWrite, ordered.first?.isWrite == true { return }
        rules.order == .total ? commitOrdered(before: nextNumber) : commitEverything(before: nextNumber)
    }

    mutating func commitOrdered(upTo cut: Int) {
        if let first = ordered.first, first.number <= cut { commitOrdered(before: cut + 1) }
    }

    private mutating func commitOrdered(before limit: Int) {
        while let pending = ordered.first, pending.number < limit {
            ordered.removeFirst(upTo: ordered.startIndex + 1)
            effectCount -= 1
            guard let at = inodes.index(of: pending.effect.inode) else {
                orphanedCount -= 1
                continue
            }
            inodes[at: at].orderedCount -= 1
            commit(pending)
        }
    }

    private mutating func commit(_ pending: PendingEffect) {
        switch pending.effect {
        case .name(let entry, let inode):
            commitName(entry, inode)
        case .zero, .resize:
            if rules.order == .metadata { override(pending) }
            apply(pending)
        default: apply(pending)
        }
    }

    /// Static, because a mutating method of the set would copy the whole tree here.
    static func apply(_ pending: PendingEffect, to tree: inout Tree) {
        if pending.excludedBytes.isEmpty {
            tree.apply(pending.effect)
        } else {
            tree.apply(pending.effect, within: pending.remainingBytes)
        }
    }

    mutating func apply(_ pending: PendingEffect) {
        PendingSet.apply(pending, to: &durable)
        supersedeFailedFsync(pending)
    }

    /// Supersedes writes of a failed fsync with newer durable data: `bytes` of the effect, or all of it.
    mutating func supersedeFailedFsync(_ pending: PendingEffect, _ bytes: RangeSet<UInt64>? = nil) {
        guard let at = inodes.index(of: pending.effect.inode), !inodes[at: at].failedFsync.isEmpty else { return }
        effectCount -= inodes[at: at].failedFsync.supersede(to: bytes ?? pending.remainingBytes, of: pending.number)
    }

    /// Drops the inode's earlier data that durable zeros replace, and the earlier growth that a durable size replaces.
    private mutating func override(_ pending: PendingEffect) {
        guard let at = inodes.index(of: pending.effect.inode), !inodes[at: at].data.isEmpty else { return }
        var emptied = false
        for index in inodes[at: at].data.indices {
            guard inodes[at: at].data[index].number < pending.number else { break }
            inodes[at: at].data[index].supersede(to: pending)
            emptied = emptied || inodes[at: at].data[index].isSpent
        }
        guard emptied else { return }
        let before = inodes[at: at].data.count
        inodes[at: at].data.removeAll(where: \.isSpent)
        effectCount -= before - inodes[at: at].data.count
    }

    mutating func commitData(of inode: InodeID, before limit: Int) {
        guard let at = inodes.index(of: inode), inodes[at: at].data.begins(before: limit) else { return }
        supersedeFailedFsync(inodes[at: at].data, before: limit, at)
        effectCount -= inodes[at: at].data.applyPrefix(before: limit, to: &durable, inode)
    }

    mutating func commitOthers(of inode: InodeID, before limit: Int) {
        guard let at = inodes.index(of: inode), inodes[at: at].others.begins(before: limit) else { return }
        supersedeFailedFsync(inodes[at: at].others, before: limit, at)
        effectCount -= inodes[at: at].others.applyPrefix(before: limit, to: &durable, inode)
    }

    private mutating func supersedeFailedFsync(_ queue: EffectQueue, before limit: Int, _ at: Int) {
        guard !inodes[at: at].failedFsync.isEmpty else { return }
        for pending in queue.prefix(while: { $0.number < limit }) { supersedeFailedFsync(pending) }
    }
}

extension EffectQueue {
    /// Whether there is an effect with a number below `limit`.
    fileprivate func begins(before limit: Int) -> Bool {
        guard let first else { return false }
        return first.number < limit
    }

    /// Applies and removes the effects of one inode with numbers below `limit`. Returns how many there were.
    fileprivate mutating func applyPrefix(before limit: Int, to tree: inout Tree, _ inode: InodeID) -> Int {
        let end = last.map { $0.number < limit } == true ? endIndex : firstIndex(from: limit)
        let count = end - startIndex
        guard count > 0 else { return 0 }
        tree.change(inode) { node in
            for index in startIndex..<end {
                if self[index].excludedBytes.isEmpty {
                    node?.apply(self[index].effect)
                } else {
                    node?.apply(self[index].effect, within: self[index].remainingBytes)
                }
            }
        }
        removeFirst(upTo: end)
        return count
    }
}

extension PendingEffect {
    /// For data: the bytes that a crash may still keep or lose.
    var remainingBytes: RangeSet<UInt64> {
        guard let range = effect.dataRange else { return RangeSet() }
        return RangeSet(range).subtracting(excludedBytes)
    }

    /// Drops what a later effect, now durable, overwrites in the same slots.
    mutating func supersede(to later: PendingEffect) {
        guard effect.inode == later.effect.inode else { return }
        switch (effect, later.effect) {
        case (.write, .write), (.write, .zero), (.zero, .write), (.zero, .zero):
            let common = effect.dataRange!.clamped(to: later.effect.dataRange!)
            if !common.isEmpty { excludedBytes.insert(contentsOf: common) }
        case (.grow, .resize): isOverridden = true
        default: break
        }
    }

    /// Whether nothing of it is left to keep or lose. Zeros that are bonded to a size stay as long as the size.
    var isSpent: Bool {
        switch effect {
        case .write: remainingBytes.isEmpty
        case .zero: dependency == .none && remainingBytes.isEmpty
        default: isOverridden
        }
    }
}

// MARK: - Names

extension PendingSet {
    /// For `.slots`: makes durable the names in a directory and the names of an inode, old ones too, with their
    /// dependencies.
    mutating func commitNames(in directory: InodeID?, of inode: InodeID?, _ isCovered: (PendingEffect) -> Bool) {
        guard !ordered.isEmpty else { return }
        var numbers: Set<Int> = []
        if let directory, let at = inodes.index(of: directory), inodes[at: at].orderedCount > 0 {
            for pending in ordered where pending.effect.inode == directory && isCovered(pending) {
                numbers.insert(pending.number)
            }
        }
        let inodeIndex = inode.flatMap { inodes.index(of: $0) }
        if let inodeIndex {
            for number in inodes[at: inodeIndex].ownNames {
                if let index = ordered.index(of: number), isCovered(ordered[index]) { numbers.insert(number) }
            }
        }
        guard !numbers.isEmpty else { return }
        var open = Array(numbers)
        while let number = open.popLast() {
            for need in namesRequired(by: number) where numbers.insert(need).inserted { open.append(need) }
        }
        for number in numbers.sorted() {
            guard let index = ordered.index(of: number), case .name(let entry, let child) = ordered[index].effect else {
                continue
            }
            ordered.remove(at: index)
            effectCount -= 1
            if let at = inodes.index(of: entry.directory) {
                inodes[at: at].orderedCount -= 1
            } else {
                orphanedCount -= 1
            }
            commitName(entry, child)
        }
        if let inode, let at = inodes.index(of: inode) {
            inodes[at: at].ownNames.removeAll { ordered.index(of: $0) == nil }
        }
    }

    /// The names that this one depends on: earlier versions, and the other half of its rename.
    private func namesRequired(by number: Int) -> [Int] {
        guard let index = ordered.index(of: number) else { return [] }
        let pending = ordered[index]
        var needed = [pending.previousVersion, pending.previousMove].filter { ordered.index(of: $0) != nil }
        if pending.dependency == .joinsNext, index + 1 < ordered.endIndex { needed.append(ordered[index + 1].number) }
        if index > ordered.startIndex,
            pending.dependency == .requiresPrevious && ordered[index - 1].operation == pending.operation
                || ordered[index - 1].dependency == .joinsNext
        {
            needed.append(ordered[index - 1].number)
        }
        return needed
    }

    mutating func commitName(_ entry: DirectoryEntry, _ inode: InodeID?) {
        let old = durable[entry]
        if log.began != nil { noteLogged([inode, old]) }
        durable.apply(.name(entry, inode))
        // The durable name was already counted while it was pending. The name that it replaces no longer counts.
        if let old, !keepsReplaced(old, at: entry) { dropName(of: old) }
    }

    mutating func dropName(of inode: InodeID) {
        guard let at = inodes.index(of: inode) else { return }
        inodes[at: at].nameCount -= 1
        guard inodes[at: at].nameCount == 0, inode != .root, let state = inodes.remove(inode) else { return }
        effectCount -= state.data.count + state.others.count + state.failedFsync.count
        orphanedCount += state.orderedCount
        let node = durable.nodes[inode]
        durable.change(inode) { $0 = nil }
        if let node, node.kind == .directory { dropNames(in: inode, node, pendingCount: state.orderedCount) }
        if orphanedCount > ordered.count / 2 + 32 { dropOrphans() }
    }

    /// Drops the names in a directory that is unreachable now.
    private mutating func dropNames(in directory: InodeID, _ node: Node, pendingCount: Int) {
        for (name, child) in node.entries {
            names[DirectoryEntry(directory, name)] = nil
            dropName(of: child)
        }
        guard pendingCount > 0 else { return }
        for pending in Array(ordered) {
            if case .name(let entry, let child?) = pending.effect, entry.directory == directory {
                names[entry] = nil
                dropName(of: child)
            }
        }
    }

    private mutating func dropOrphans() {
        let before = ordered.count
        ordered.removeAll { [inodes] in !inodes.contains($0.effect.inode) }
        effectCount -= before - ordered.count
        orphanedCount -= before - ordered.count
    }
}
