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
        if rules.logsSlots { beginLogging(barrier) }
        barriers[id] = BarrierState(
            barrier: barrier, beganAt: eventCount, firstNumber: nextNumber, allHadCompleted: inFlight.isEmpty,
            metadataCut: cut)
    }

    mutating func end(_ id: OperationID, succeeded: Bool) {
        guard let state = barriers.removeValue(forKey: id) else { return }
        endLogging(state, succeeded: succeeded)
        guard succeeded else { return fail(state) }
        let coverage = coverage(of: state)
        if !commitFast(coverage) { commit { old, effect in coverage.covers(effect, replacing: old) } }
    }

    /// The coverage of a barrier that ends now.
    func coverage(of state: BarrierState) -> BarrierCoverage {
        let (inode, scope) = scope(of: state.barrier) ?? (.root, .everything)
        var cut = state.metadataCut
        // A new size or a new block enters the journal as soon as its data is written, whatever the order of the sizes.
        if case .journal = scope, rules.order == .metadata {
            cut.raise(to: lastAllocation(of: inode, completedBy: state.beganAt))
        }
        var coverage = BarrierCoverage(
            state: state, inode: inode, scope: scope, order: rules.order, journalCut: cut)
        coverage.returns = log.returns
        return coverage
    }

    private func scope(of barrier: Barrier) -> (InodeID, ProfileRules.Scope)? {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush, .forceUnitAccess: nil
        }
    }

    /// The number of the last write that grows the file, or that fills a hole or an allocated range that was never written;
    /// -1 if there is none.
    private func lastAllocation(of inode: InodeID, completedBy limit: Int) -> Int {
        guard let at = inodes.index(of: inode) else { return -1 }
        // By index: iteration would copy each effect.
        for index in inodes[at: at].data.indices.reversed() where inodes[at: at].data[index].completedAt < limit {
            if inodes[at: at].data[index].isGrowth || fillsHole(index, inode, at) {
                return inodes[at: at].data[index].number
            }
        }
        return -1
    }

    /// Whether a write of the inode's queue touches a page that no earlier write has touched, durable or not. A write that was
    /// found to change nothing may have touched it, too; then nothing is certain.
    private func fillsHole(_ index: Int, _ inode: InodeID, _ at: Int) -> Bool {
        let write = inodes[at: at].data[index]
        guard payloads == nil, write.isWrite, !write.isEdge, let range = write.effect.dataRange else { return false }
        let content = durable.nodes[inode]?.content
        for page in range.aligned(to: pageBytes).cut(at: pageBytes) where content?.slice(page).isEmpty ?? true {
            func touches(_ other: PendingEffect) -> Bool {
                other.number < write.number && other.isWrite
                    && !other.remainingBytes.intersection(RangeSet(page)).isEmpty
            }
            let queue = inodes[at: at].data
            if !queue[..<index].contains(where: touches), !inodes[at: at].failedFsync.pending.contains(where: touches) {
                return true
            }
        }
        return false
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
