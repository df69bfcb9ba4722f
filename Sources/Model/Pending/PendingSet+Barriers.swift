extension PendingSet {
    mutating func begin(_ id: OperationID, _ barrier: Barrier) {
        var cut = -1
        if let (inode, scope) = scope(of: barrier), case .journal(let mark) = scope,
            let at = inodes.index(of: inode)
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

    /// The coverage of a barrier that ends now.
    func coverage(of state: BarrierState) -> BarrierCoverage {
        let (inode, scope) = scope(of: state.barrier) ?? (.root, .everything)
        var cut = state.metadataCut
        // A new size enters the journal as soon as its data is written, whatever the order of the sizes.
        if case .journal = scope, rules.order == .metadata {
            cut.raise(to: lastGrowth(of: inode, completedBy: state.beganAt))
        }
        return BarrierCoverage(state: state, inode: inode, scope: scope, order: rules.order, journalCut: cut)
    }

    private func scope(of barrier: Barrier) -> (InodeID, ProfileRules.Scope)? {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush, .forceUnitAccess: nil
        }
    }

    private func lastGrowth(of inode: InodeID, completedBy limit: Int) -> Int {
        guard let at = inodes.index(of: inode) else { return -1 }
        return inodes[at: at].data.lastGrowth(completedBy: limit)
    }

    /// After a failed fsync the kernel marks the pages clean. The covered writes may never reach the disk, and a later
    /// successful fsync does not cover them (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
    /// A killed process loses nothing from the page cache, so that under `kill` nothing changes.
    private mutating func fail(_ state: BarrierState) {
        guard !rules.everythingPersists else { return }
        let failed = scope(of: state.barrier)?.0
        func isFailed(_ pending: PendingEffect) -> Bool {
            guard pending.isWrite, pending.completedAt < state.beganAt else { return false }
            if case .forceUnitAccess(let write) = state.barrier { return pending.operation == write }
            return failed == nil || pending.effect.inode == failed
        }
        for (inode, effects) in Dictionary(grouping: ordered.extract(where: isFailed), by: \.effect.inode) {
            if let at = inodes.index(of: inode) { inodes[at: at].orderedCount -= effects.count }
            markFailed(effects, of: inode)
        }
        for inode in failed.map({ [$0] }) ?? inodes.inodes {
            guard let at = inodes.index(of: inode) else { continue }
            markFailed(inodes[at: at].data.extract(where: isFailed), of: inode)
        }
    }

    private mutating func markFailed(_ effects: [PendingEffect], of inode: InodeID) {
        guard !effects.isEmpty, let at = inodes.index(of: inode) else {
            // The inode is unreachable: its effects are dropped.
            orphanedCount -= effects.count
            effectCount -= effects.count
            return
        }
        inodes[at: at].failedFsync.insert(
            effects.map {
                var pending = $0
                pending.isUnsyncable = true
                return pending
            })
    }
}
