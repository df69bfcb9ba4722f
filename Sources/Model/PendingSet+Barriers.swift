extension PendingSet {
    mutating func begin(_ id: OperationID, _ barrier: Barrier) {
        var cut = -1
        if let (inode, scope) = promise(of: barrier), case .journal(let mark) = scope, let state = inodes[inode] {
            switch mark {
            case .anyChange: cut = state.lastChange
            case .sizeChange: cut = state.lastSizeChange
            case .sizeOrNameChange: cut = max(state.lastSizeChange, state.lastNameChange)
            }
            if rules.order == .total { cut.raise(to: state.lastDataChange) }
        }
        barriers[id] = BarrierState(
            barrier: barrier, beganAt: eventCount, firstNumber: nextNumber, allHadCompleted: inFlight.isEmpty,
            metadataCut: cut)
    }

    mutating func end(_ id: OperationID, succeeded: Bool) {
        guard let state = barriers.removeValue(forKey: id) else { return }
        guard succeeded else { return fail(state) }
        if case .forceUnitAccess(let write) = state.barrier {
            return makeDurable { _, part in
                part.operation == write && (part.isWrite || part.isGrowth) && part.isCovered(state.beganAt)
            }
        }
        // What it covers is then just what came before it. That is by far the most frequent case.
        let coversPrefix = state.allHadCompleted && !hasUnsyncable
        let (inode, scope) = promise(of: state.barrier) ?? (.root, .everything)
        switch scope {
        case .everything:
            coversPrefix
                ? retireEverything(before: state.firstNumber)
                : makeDurable { _, part in
                    part.isCovered(state.beganAt)
                }
        case .journal:
            let cut =
                rules.growthFollowsMetadata
                ? max(state.metadataCut, lastGrowth(of: inode, completedBy: state.beganAt)) : state.metadataCut
            let hasTotalOrder = rules.order == .total
            if coversPrefix {
                retireOrdered(upTo: cut)
                retireData(of: inode, before: state.firstNumber)
            } else {
                makeDurable { _, part in
                    if hasTotalOrder { return part.number <= cut && !part.isUnsyncable }
                    return part.effect.isMetadata
                        ? part.number <= cut : part.effect.inode == inode && part.isCovered(state.beganAt)
                }
            }
        case .slots(let attributes, let ownNames):
            if coversPrefix, !mayHaveNames(inode, attributes, ownNames: ownNames) {
                retireData(of: inode, before: state.firstNumber)
                if attributes { retireOthers(of: inode, before: state.firstNumber) }
            } else {
                makeDurable { old, part in
                    guard part.isCovered(state.beganAt) else { return false }
                    switch part.effect {
                    case .name(let entry, let new):
                        return attributes && entry.directory == inode || ownNames && (new == inode || old == inode)
                    case .attributes, .extendedAttribute: return attributes && part.effect.inode == inode
                    default: return part.effect.inode == inode
                    }
                }
            }
        }
    }

    private func promise(of barrier: Barrier) -> (InodeID, ProfileRules.Scope)? {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush, .forceUnitAccess: nil
        }
    }

    private func mayHaveNames(_ inode: InodeID, _ attributes: Bool, ownNames: Bool) -> Bool {
        guard !ordered.isEmpty, let state = inodes[inode] else { return false }
        return attributes && state.orderedCount > 0 || ownNames && state.ownNameCount > 0
    }

    private func lastGrowth(of inode: InodeID, completedBy limit: Int) -> Int {
        inodes[inode]?.data.last { $0.isGrowth && $0.completedAt < limit }?.number ?? -1
    }

    /// After a failed fsync the kernel marks the pages clean: what it covered may never reach the disk, and a later
    /// fsync says nothing about it (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
    private mutating func fail(_ state: BarrierState) {
        let failed = promise(of: state.barrier)?.0
        func isOfBarrier(_ part: Part) -> Bool {
            if case .forceUnitAccess(let write) = state.barrier { return part.operation == write }
            return failed == nil || part.effect.inode == failed
        }
        func mark(_ parts: inout PartQueue) -> Bool {
            var marked = false
            for index in parts.indices where parts[index].isWrite && parts[index].completedAt < state.beganAt {
                guard isOfBarrier(parts[index]) else { continue }
                parts[index].isUnsyncable = true
                marked = true
            }
            return marked
        }
        if mark(&ordered) { hasUnsyncable = true }
        for inode in failed.map({ [$0] }) ?? Array(inodes.keys) {
            if let at = inodes.index(forKey: inode), mark(&inodes.values[at].data) { hasUnsyncable = true }
        }
    }
}
