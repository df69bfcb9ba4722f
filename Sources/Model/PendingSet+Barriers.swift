extension PendingSet {
    mutating func begin(_ id: OperationID, _ barrier: Barrier) {
        var cut = -1
        if let (inode, scope) = promise(of: barrier), case .journal(let mark) = scope, let state = inodes[inode] {
            switch mark {
            case .anyChange: cut = state.lastChange
            case .sizeChange: cut = state.lastSizeChange
            case .sizeOrNameChange: cut = max(state.lastSizeChange, state.lastNameChange)
            }
        }
        barriers[id] = BarrierState(barrier: barrier, beganAt: eventCount, metadataCut: cut)
    }

    mutating func end(_ id: OperationID, succeeded: Bool) {
        guard let state = barriers.removeValue(forKey: id) else { return }
        guard succeeded else { return fail(state) }
        guard let (inode, scope) = promise(of: state.barrier) else {
            return retireEverything(completedBy: state.beganAt)
        }
        switch scope {
        case .everything:
            retireEverything(completedBy: state.beganAt)
        case .journal:
            var cut = state.metadataCut
            if rules.growthFollowsMetadata { cut = max(cut, lastGrowth(of: inode, completedBy: state.beganAt)) }
            retireMetadata(upTo: cut)
            retireData(of: inode, completedBy: state.beganAt)
        case .slots(let attributes, let ownNames):
            retireData(of: inode, completedBy: state.beganAt)
            retireOthers(of: inode, attributes: attributes, completedBy: state.beganAt)
            if ownNames { retireOwnNames(of: inode, completedBy: state.beganAt) }
        }
    }

    private func promise(of barrier: Barrier) -> (InodeID, ProfileRules.Scope)? {
        switch barrier {
        case .fsync(let inode): (inode, rules.fsync)
        case .fdatasync(let inode): (inode, rules.fdatasync)
        case .flush: nil
        }
    }

    /// After a failed fsync the kernel marks the pages clean: what it covered may never reach the disk, and a later
    /// fsync says nothing about it (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
    private mutating func fail(_ state: BarrierState) {
        guard let (inode, _) = promise(of: state.barrier) else { return }
        for place in parts.indices where parts[place].isLive && parts[place].completedAt < state.beganAt {
            if case .write(inode, _, _) = parts[place].effect { parts[place].isUnsyncable = true }
        }
    }

    private func lastGrowth(of inode: InodeID, completedBy limit: Int) -> Int {
        for number in (inodes[inode]?.data ?? []).reversed() {
            guard let place = place(number), case .grow = parts[place].effect else { continue }
            if parts[place].completedAt < limit { return number }
        }
        return -1
    }

    private func isCovered(_ place: Int, _ limit: Int) -> Bool {
        parts[place].isLive && parts[place].completedAt < limit && !parts[place].isUnsyncable
    }

    mutating func retireEverything(completedBy limit: Int) {
        guard let last = parts.lastIndex(where: { $0.isLive && $0.completedAt < limit }) else { return }
        for place in 0...last where parts[place].isLive {
            // With one order for everything, what came before something durable is durable too.
            let isCovered = rules.order == .total || parts[place].completedAt < limit
            if isCovered && !parts[place].isUnsyncable { retire(place) }
        }
    }

    /// A killed process loses nothing that took effect; only a write that the kill interrupts may be cut short.
    mutating func persistEverything(butLastWrite: Bool) {
        if butLastWrite, let first = parts.first(where: \.isLive), case .write = first.effect { return }
        for place in parts.indices where parts[place].isLive { retire(place) }
    }

    private mutating func retireMetadata(upTo cut: Int) {
        var count = 0
        while count < metadataNumbers.count, metadataNumbers[count] <= cut {
            if let place = place(metadataNumbers[count]) { retire(place) }
            count += 1
        }
        metadataNumbers.removeFirst(count)
    }

    private mutating func retireData(of inode: InodeID, completedBy limit: Int) {
        guard let numbers = inodes[inode]?.data else { return }
        inodes[inode]!.data = []
        var left: [Int] = []
        for number in numbers {
            guard let place = place(number) else { continue }
            if isCovered(place, limit) {
                // What was left behind may lie beneath this part: `retire` looks for it in the inode's list.
                inodes[inode]?.data = left
                retire(place)
            } else {
                left.append(number)
            }
        }
        inodes[inode]?.data = left
    }

    private mutating func retireOthers(of inode: InodeID, attributes: Bool, completedBy limit: Int) {
        guard let numbers = inodes[inode]?.others else { return }
        inodes[inode]!.others = []
        var left: [Int] = []
        for number in numbers {
            guard let place = place(number) else { continue }
            var isPromised = isCovered(place, limit)
            if case .name = parts[place].effect {} else if !attributes { isPromised = false }
            if isPromised { retireWithPartner(place) } else { left.append(number) }
        }
        inodes[inode]?.others = left
    }

    private mutating func retireOwnNames(of inode: InodeID, completedBy limit: Int) {
        guard let numbers = inodes[inode]?.ownNames else { return }
        var left: [Int] = []
        for number in numbers {
            guard let place = place(number) else { continue }
            if isCovered(place, limit) { retireWithPartner(place) } else { left.append(number) }
        }
        inodes[inode]?.ownNames = left
    }

    /// Retires a part and the part that survives only together with it.
    private mutating func retireWithPartner(_ place: Int) {
        let before = place - 1
        if before >= 0, parts[before].isLive, parts[before].bond == .joinsNext { retire(before) }
        retire(place)
        if parts[place].bond == .joinsNext, place + 1 < parts.count, parts[place + 1].isLive { retire(place + 1) }
    }

    /// Makes one part durable. What came earlier in its slot goes with it or is overridden by it.
    private mutating func retire(_ place: Int) {
        let part = parts[place]
        bury(place)
        switch part.effect {
        case .write(let inode, _, _):
            let range = part.effect.dataRange!
            absorb(range.aligned(to: unitBytes), of: inode, before: part.number, keeping: true)
        case .zero(let inode, let range):
            absorb(range, of: inode, before: part.number, keeping: false)
        case .grow(let inode, _, _), .resize(let inode, _):
            forgetGrowth(of: inode, before: part.number)
        case .name(let entry, let inode):
            return retireName(entry, inode)
        case .attributes, .extendedAttribute: break
        }
        if part.gone.isEmpty {
            durable.apply(part.effect)
        } else {
            durable.apply(part.effect, within: part.pendingBytes)
        }
    }

    /// Takes `range` out of the earlier pending writes of the inode. A unit's versions are cumulative, so a later write
    /// of a unit brings the earlier ones with it (`keeping`); a zero version overrides them.
    private mutating func absorb(_ range: Range<UInt64>, of inode: InodeID, before number: Int, keeping: Bool) {
        for earlier in inodes[inode]?.data ?? [] where earlier < number {
            guard let place = place(earlier), case .write = parts[place].effect else { continue }
            let common = parts[place].effect.dataRange!.clamped(to: range)
            guard !common.isEmpty else { continue }
            if keeping {
                durable.apply(parts[place].effect, within: RangeSet(common).subtracting(parts[place].gone))
            }
            parts[place].gone.insert(contentsOf: common)
            if parts[place].pendingBytes.isEmpty { bury(place) }
        }
    }

    private mutating func forgetGrowth(of inode: InodeID, before number: Int) {
        for earlier in inodes[inode]?.data ?? [] where earlier < number {
            if let place = place(earlier), case .grow = parts[place].effect { bury(place) }
        }
    }

    private mutating func retireName(_ entry: Entry, _ inode: InodeID?) {
        let old = durable[entry]
        durable.apply(.name(entry, inode))
        // A pending name that becomes durable still counts once; the name it displaced counts no more.
        if let old { dropName(of: old) }
    }

    private mutating func dropName(of inode: InodeID) {
        guard inodes[inode] != nil else { return }
        inodes[inode]!.nameCount -= 1
        guard inodes[inode]!.nameCount == 0, inode != .root else { return }
        let state = inodes.removeValue(forKey: inode)!
        for number in state.data + state.others {
            guard let place = place(number) else { continue }
            if case .name(_, let child?) = parts[place].effect { dropName(of: child) }
            bury(place)
        }
        let node = durable.nodes.removeValue(forKey: inode)
        for child in node?.entries.values ?? [:].values { dropName(of: child) }
    }
}

extension Range<UInt64> {
    /// The smallest range of whole units that covers this one.
    func aligned(to unit: UInt64) -> Range<UInt64> {
        let end = upperBound.addingReportingOverflow(unit - 1)
        return lowerBound / unit * unit..<(end.overflow ? .max / unit : end.partialValue / unit) * unit
    }
}
