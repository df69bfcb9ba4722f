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
        let coverage = coverage(of: state)
        if !commitFast(coverage) { commit { old, effect in coverage.covers(effect, replacing: old) } }
    }

    /// What a barrier that ends now promises.
    func coverage(of state: BarrierState) -> BarrierCoverage {
        let (inode, scope) = promise(of: state.barrier) ?? (.root, .everything)
        var cut = state.metadataCut
        // A new size is part of the journal once its data is written, wherever sizes stand in the order.
        if case .journal = scope, rules.order == .metadata {
            cut.raise(to: lastGrowth(of: inode, completedBy: state.beganAt))
        }
        return BarrierCoverage(state: state, inode: inode, scope: scope, order: rules.order, journalCut: cut)
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
        func isFailed(_ part: PendingEffect) -> Bool {
            guard part.isWrite, part.completedAt < state.beganAt else { return false }
            if case .forceUnitAccess(let write) = state.barrier { return part.operation == write }
            return failed == nil || part.effect.inode == failed
        }
        for (inode, parts) in Dictionary(grouping: ordered.extract(where: isFailed), by: \.effect.inode) {
            if let at = inodes.place(of: inode) { inodes[at: at].orderedCount -= parts.count }
            markFailed(parts, of: inode)
        }
        for inode in failed.map({ [$0] }) ?? inodes.inodes {
            guard let at = inodes.place(of: inode) else { continue }
            markFailed(inodes[at: at].data.extract(where: isFailed), of: inode)
        }
    }

    private mutating func markFailed(_ parts: [PendingEffect], of inode: InodeID) {
        guard !parts.isEmpty, let at = inodes.place(of: inode) else {
            // Of an inode that nothing can reach any more.
            strayCount -= parts.count
            effectCount -= parts.count
            return
        }
        inodes[at: at].failedFsync.insert(
            parts.map {
                var part = $0
                part.isUnsyncable = true
                return part
            })
    }
}
