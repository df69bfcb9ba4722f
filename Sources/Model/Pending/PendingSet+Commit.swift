/// The general commit: makes any set of effects durable, with their dependencies (`Requirements`).
extension PendingSet {
    /// Makes the covered effects durable, with their dependencies. `isCovered` gets each effect and, for a name, the inode
    /// that the name referred to before. The cost is in proportion to the number of pending effects.
    mutating func commit(_ isCovered: (InodeID?, PendingEffect) -> Bool) {
        let effects = pendingEffects(withFailedFsync: false)
        var required = seeds(effects, isCovered)
        guard required.contains(where: { $0 != .nothing }) else { return }
        close(&required, effects)
        empty()
        for (pending, requirement) in zip(effects, required) { commit(pending, requirement) }
        enter(leftOver(effects, required))
    }

    /// The same for the data or the attributes of one inode, if these depend on no other pending effects.
    mutating func commit(
        _ queue: WritableKeyPath<InodeState, EffectQueue>, of inode: InodeID, _ isCovered: (PendingEffect) -> Bool
    ) {
        guard let at = inodes.index(of: inode) else { return }
        let effects = Array(inodes[at: at][keyPath: queue])
        var required = effects.map { isCovered($0) ? DurabilityRequirement.whole : .nothing }
        guard required.contains(.whole) else { return }
        close(&required, effects)
        for (pending, requirement) in zip(effects, required) { commit(pending, requirement) }
        let left = leftOver(effects, required)
        inodes[at: at][keyPath: queue] = EffectQueue(left)
        effectCount -= effects.count - left.count
    }

    /// How much of an effect must become durable.
    fileprivate enum DurabilityRequirement: Equatable {
        case nothing
        case whole
        case units(RangeSet<UInt64>)
    }

    private func seeds(_ effects: [PendingEffect], _ isCovered: (InodeID?, PendingEffect) -> Bool)
        -> [DurabilityRequirement]
    {
        var meanings: [DirectoryEntry: InodeID?] = [:]
        return effects.map { pending in
            var old: InodeID?
            if case .name(let entry, let inode) = pending.effect, log.names[pending.number]?.isReturn != true {
                old = meanings.updateValue(inode, forKey: entry) ?? durable[entry]
            }
            return isCovered(old, pending) ? .whole : .nothing
        }
    }

    /// Adds the dependencies, in one pass from the last effect to the first.
    private func close(_ required: inout [DurabilityRequirement], _ effects: [PendingEffect]) {
        let requirements = Requirements(committing: effects, self)
        func requireDependencies(of index: Int, _ required: inout [DurabilityRequirement]) {
            for dependency in requirements[index] {
                switch dependency {
                case .effect(let other): required[other] = .whole
                case .units(let other, let range):
                    guard effects[other].isWrite else {
                        required[other] = .whole
                        continue
                    }
                    var units = RangeSet(range)
                    if case .units(let own) = required[index] { units.formIntersection(own) }
                    required[other].add(units)
                }
            }
        }
        for index in effects.indices.reversed() {
            let joins = Requirements.joinsNext(index, of: effects, isLogged: true)
            if joins, required[index + 1] != .nothing { required[index] = .whole }
            guard required[index] != .nothing else { continue }
            if joins, required[index + 1] == .nothing {
                required[index + 1] = .whole
                requireDependencies(of: index + 1, &required)
            }
            requireDependencies(of: index, &required)
        }
    }

    private mutating func commit(_ pending: PendingEffect, _ requirement: DurabilityRequirement) {
        switch requirement {
        case .nothing: break
        case .whole:
            if case .name(let entry, let inode) = pending.effect { commitName(entry, inode) } else { apply(pending) }
        case .units(let units):
            durable.apply(pending.effect, within: units.intersection(pending.pendingBytes))
            supersedeFailedFsync(pending, units.intersection(pending.pendingBytes))
        }
    }

    /// Removes all effects except the writes of failed fsyncs, which no barrier covers.
    private mutating func empty() {
        ordered = EffectQueue()
        effectCount = 0
        orphanedCount = 0
        for inode in inodes.inodes {
            guard let at = inodes.index(of: inode) else { continue }
            inodes[at: at].orderedCount = 0
            if !inodes[at: at].data.isEmpty { inodes[at: at].data = EffectQueue() }
            if !inodes[at: at].others.isEmpty { inodes[at: at].others = EffectQueue() }
            effectCount += inodes[at: at].failedFsync.count
        }
    }

    /// The effects that stay pending, without the bytes that durable effects overwrite.
    private func leftOver(_ effects: [PendingEffect], _ required: [DurabilityRequirement]) -> [PendingEffect] {
        var left: [PendingEffect] = []
        var positions: [InodeID: [Int]] = [:]
        for (pending, requirement) in zip(effects, required) {
            let inode = pending.effect.inode
            if requirement != .nothing {
                for index in positions[inode] ?? [] {
                    left[index].supersede(to: pending, within: requirement.units(of: pending))
                }
            }
            guard requirement != .whole else { continue }
            if pending.effect.dataRange != nil || pending.isGrowth { positions[inode, default: []].append(left.count) }
            left.append(pending)
            for range in requirement.units(of: pending).ranges {
                left[left.count - 1].excludedBytes.insert(contentsOf: range)
            }
        }
        return left.filter { !$0.isSpent }
    }

    /// Adds the effects that stay pending. Drops those of inodes that are unreachable now.
    private mutating func enter(_ effects: [PendingEffect]) {
        var left = effects
        while true {
            let gone = left.filter { !inodes.contains($0.effect.inode) }
            guard !gone.isEmpty else { break }
            left.removeAll { !inodes.contains($0.effect.inode) }
            for case .name(let entry, let child?) in gone.map(\.effect) {
                names[entry] = nil
                dropName(of: child)
            }
        }
        for pending in left { register(pending) }
    }
}

extension PendingSet.DurabilityRequirement {
    fileprivate mutating func add(_ units: RangeSet<UInt64>) {
        switch self {
        case .whole: break
        case .nothing: if !units.isEmpty { self = .units(units) }
        case .units(let own): self = .units(own.union(units))
        }
    }

    fileprivate func units(of pending: PendingEffect) -> RangeSet<UInt64> {
        switch self {
        case .nothing: RangeSet()
        case .whole: pending.remainingBytes
        case .units(let units): units.intersection(pending.remainingBytes)
        }
    }
}

extension PendingEffect {
    /// As `supersede(to:)`, if only some bytes of the later effect became durable.
    fileprivate mutating func supersede(to later: PendingEffect, within bytes: RangeSet<UInt64>) {
        guard case .some = later.effect.dataRange, let own = effect.dataRange, effect.inode == later.effect.inode else {
            return supersede(to: later)
        }
        for range in bytes.intersection(RangeSet(own)).ranges { excludedBytes.insert(contentsOf: range) }
    }
}
