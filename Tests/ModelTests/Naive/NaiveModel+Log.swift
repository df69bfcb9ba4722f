import Model

/// What a barrier promises, what a sync may leave in a log, and which writes allocate.
extension NaiveModel {
    mutating func keepReplaced(_ entry: DirectoryEntry, by index: Int, _ new: InodeID?, _ barrier: Barrier) {
        guard let inode = synced(by: barrier), inode != entry.directory else { return }
        var meaning: InodeID?
        for other in 0..<index where has(mandatory, other) {
            if case .name(entry, let earlier) = atoms[other].things[0] { meaning = earlier }
        }
        guard let meaning, meaning != new, volatile.kinds[meaning] != .directory else { return }
        replaced[entry] = Array(((replaced[entry] ?? []) + [meaning]).suffix(2))
    }

    func synced(by barrier: Barrier) -> InodeID? {
        switch barrier {
        case .fsync(let inode), .fdatasync(let inode): rules.logsSlots ? inode : nil
        case .flush, .forceUnitAccess: nil
        }
    }

    /// What a barrier that ends leaves in the log.
    mutating func log(_ barrier: Barrier, _ beganAt: Int, _ errno: Int32) {
        guard let inode = synced(by: barrier) else {
            if errno == 0, barriers.values.allSatisfy({ synced(by: $0.barrier) == nil }) {
                (logBegan, loggedAt, surelyLogged, replaced) = (nil, [:], [:], [:])
            }
            return
        }
        let changed = atoms.indices.last { index in
            guard !has(mandatory, index), atoms[index].completedAt < beganAt, !atoms[index].isUnsyncable else {
                return false
            }
            if case .name(_, let new) = atoms[index].things[0] { return new == inode || atoms[index].old == inode }
            return atoms[index].inode == inode
        }
        if errno == 0, let changed { surelyLogged[inode] = max(surelyLogged[inode] ?? 0, changed + 1) }
        loggedAt[inode] = barriers.values.contains { synced(by: $0.barrier) == inode } ? .max : atoms.count
    }

    /// Whether no earlier write, durable or not, touched a page of this one since it was freed for certain.
    func fillsHole(_ index: Int) -> Bool {
        guard case .data(let inode, let cells, _) = atoms[index].things[0], !atoms[index].isEdge else { return false }
        return (cells.lowerBound / 8...cells.upperBound / 8).contains { page in
            !(page * 8..<page * 8 + 8).contains { cell in
                atoms.indices.contains { other in
                    guard case .data(inode, let touched, _) = atoms[other].things[0], touched.contains(cell),
                        other < index || has(mandatory, other)
                    else { return false }
                    return !atoms.indices.contains { zero in
                        guard zero > other, has(mandatory, zero), case .zero(inode, let zeroed) = atoms[zero].things[0]
                        else { return false }
                        return zeroed.contains(cell)
                    }
                }
            }
        }
    }

    func isPromised(
        _ atom: Atom, _ index: Int, _ inode: InodeID, _ scope: ProfileRules.Scope, _ beganAt: Int, _ cut: Int
    ) -> Bool {
        let isCovered = atom.completedAt < beganAt && !atom.isUnsyncable
        switch scope {
        case .everything: return isCovered
        case .journal where rules.order == .total: return index <= cut && !atom.isUnsyncable
        case .journal: return atom.isMetadata ? index <= cut : isCovered && atom.inode == inode
        case .slots(let attributes, let ownNames):
            guard isCovered else { return false }
            switch atom.things[0] {
            case .name(let entry, let new):
                let isOwn = !atom.isReturn && (new == inode || atom.old == inode)
                return attributes && entry.directory == inode || ownNames && isOwn
            case .attributes, .extendedAttribute: return attributes && atom.inode == inode
            default: return atom.inode == inode
            }
        }
    }

    mutating func addReturns(_ entry: DirectoryEntry) {
        for old in replaced.removeValue(forKey: entry) ?? [] {
            add([.name(entry, old)], isMetadata: true)
            atoms[atoms.count - 1].isReturn = true
        }
    }
}
