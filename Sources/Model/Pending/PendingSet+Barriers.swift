extension PendingSet {
    mutating func begin(_ id: OperationID, _ barrier: Barrier) {
        var cut = -1
        if let (inode, scope) = promise(of: barrier), case .journal(let mark) = scope,
            let at = inodes.place(of: inode)
        {
            switch mark {
            case .anyChange: cut = inodes[at: at].lastChange
            case .sizeChange: cut = inodes[at: at].lastSizeChange
            case .sizeOrNameChange: cut = max(inodes[at: at].lastSizeChange, inodes[at: at].lastNameChange)
            }
            if rules.order == .total { cut.raise(to: inodes[at: at].lastDataChange) }
        }
        barriers[id] = BarrierState(
            barrier: barrier, beganAt: eventCount, firstNumber: nextNumber, allHadCompleted: inFlight.isEmpty,
            metadataCut: cut)
    }

    mutating func end(_ id: OperationID, succeeded: Bool) {
        guard let state = barriers.removeValue(forKey: id) else { return }
        guard succeeded else { return fail(state) }
        func isCovered(_ part: Part) -> Bool { part.completedAt < state.beganAt }
        if case .forceUnitAccess(let write) = state.barrier {
            return makeDurable { _, part in
                part.operation == write && (part.isWrite || part.isGrowth) && isCovered(part)
            }
        }
        let (inode, scope) = promise(of: state.barrier) ?? (.root, .everything)
        // What is promised reaches no further than the parts that a case goes through: the cost of a barrier is in
        // proportion to what it makes durable and to what else is pending of the same inode.
        switch (scope, rules.order) {
        case (.everything, .total):
            if let last = ordered.last(where: isCovered) { retireOrdered(upTo: last.number) }
        case (.everything, _) where state.allHadCompleted: retireEverything(before: state.firstNumber)
        case (.everything, _): makeDurable { _, part in isCovered(part) }
        case (.journal, .total): retireOrdered(upTo: state.metadataCut)
        case (.journal, .metadata): endJournal(of: inode, state, isCovered)
        case (.journal, .slots):
            makeDurable { _, part in
                part.effect.isMetadata
                    ? part.number <= state.metadataCut : part.effect.inode == inode && isCovered(part)
            }
        case (.slots(let attributes, let ownNames), .slots) where !rules.growthFollowsMetadata:
            if state.allHadCompleted {
                retireData(of: inode, before: state.firstNumber)
                if attributes { retireOthers(of: inode, before: state.firstNumber) }
            } else {
                makeDurable(\.data, of: inode, isCovered)
                if attributes { makeDurable(\.others, of: inode, isCovered) }
            }
            retireNames(in: attributes ? inode : nil, of: ownNames ? inode : nil, isCovered)
        case (.slots(let attributes, let ownNames), _):
            makeDurable { old, part in
                guard isCovered(part) else { return false }
                switch part.effect {
                case .name(let entry, let new):
                    return attributes && entry.directory == inode || ownNames && (new == inode || old == inode)
                case .attributes, .extendedAttribute: return attributes && part.effect.inode == inode
                default: return part.effect.inode == inode
                }
            }
        }
    }

    /// The journal is written up to the inode's last change, and before that its data. A new size is part of the journal
    /// once its data is written, wherever sizes stand in the order.
    private mutating func endJournal(of inode: InodeID, _ state: BarrierState, _ isCovered: (Part) -> Bool) {
        retireOrdered(upTo: max(state.metadataCut, lastGrowth(of: inode, completedBy: state.beganAt)))
        if state.allHadCompleted {
            retireData(of: inode, before: state.firstNumber)
        } else if let at = inodes.place(of: inode), inodes[at: at].orderedCount == 0 {
            makeDurable(\.data, of: inode, isCovered)
        } else {
            // A truncate that is under way may stand between writes that are covered.
            makeDurable { _, part in !part.effect.isMetadata && part.effect.inode == inode && isCovered(part) }
        }
    }

    private func promise(of barrier: Barrier) -> (InodeID, ProfileRules.Scope)? {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush, .forceUnitAccess: nil
        }
    }

    private func lastGrowth(of inode: InodeID, completedBy limit: Int) -> Int {
        guard let at = inodes.place(of: inode) else { return -1 }
        return inodes[at: at].data.lastGrowth(completedBy: limit)
    }

    /// After a failed fsync the kernel marks the pages clean: what it covered may never reach the disk, and a later
    /// fsync says nothing about it (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). For a
    /// killed process the page cache is all that counts.
    private mutating func fail(_ state: BarrierState) {
        guard !rules.everythingPersists else { return }
        let failed = promise(of: state.barrier)?.0
        func isFailed(_ part: Part) -> Bool {
            guard part.isWrite, part.completedAt < state.beganAt else { return false }
            if case .forceUnitAccess(let write) = state.barrier { return part.operation == write }
            return failed == nil || part.effect.inode == failed
        }
        for (inode, parts) in Dictionary(grouping: ordered.extract(where: isFailed), by: \.effect.inode) {
            if let at = inodes.place(of: inode) { inodes[at: at].orderedCount -= parts.count }
            doubt(parts, of: inode)
        }
        for inode in failed.map({ [$0] }) ?? inodes.inodes {
            guard let at = inodes.place(of: inode) else { continue }
            doubt(inodes[at: at].data.extract(where: isFailed), of: inode)
        }
    }

    private mutating func doubt(_ parts: [Part], of inode: InodeID) {
        guard !parts.isEmpty, let at = inodes.place(of: inode) else {
            // Of an inode that nothing can reach any more.
            strayCount -= parts.count
            partCount -= parts.count
            return
        }
        inodes[at: at].doubtful.insert(
            parts.map {
                var part = $0
                part.isUnsyncable = true
                return part
            })
    }
}
