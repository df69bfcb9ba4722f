/// Making durable in general: whatever a barrier promises, with all that it needs (`Requirements`).
extension PendingSet {
    /// Makes durable what is promised and everything that it needs. `isPromised` is given each effect, and for a name
    /// what the name meant before. The cost is in proportion to all that is pending.
    mutating func commit(_ isPromised: (InodeID?, PendingEffect) -> Bool) {
        let parts = pendingEffects(withFailedFsync: false)
        var required = seeds(parts, isPromised)
        guard required.contains(where: { $0 != .nothing }) else { return }
        close(&required, parts)
        empty()
        for (part, requirement) in zip(parts, required) { commit(part, requirement) }
        enter(leftOver(parts, required))
    }

    /// The same for the data of one inode, or its attributes, where these need nothing else that is pending.
    mutating func commit(
        _ queue: WritableKeyPath<InodeState, EffectQueue>, of inode: InodeID, _ isPromised: (PendingEffect) -> Bool
    ) {
        guard let at = inodes.place(of: inode) else { return }
        let parts = Array(inodes[at: at][keyPath: queue])
        var required = parts.map { isPromised($0) ? DurabilityRequirement.whole : .nothing }
        guard required.contains(.whole) else { return }
        close(&required, parts)
        for (part, requirement) in zip(parts, required) { commit(part, requirement) }
        let left = leftOver(parts, required)
        inodes[at: at][keyPath: queue] = EffectQueue(left)
        effectCount -= parts.count - left.count
    }

    /// What of one effect must become durable.
    fileprivate enum DurabilityRequirement: Equatable {
        case nothing
        case whole
        case units(RangeSet<UInt64>)
    }

    private func seeds(_ parts: [PendingEffect], _ isPromised: (InodeID?, PendingEffect) -> Bool)
        -> [DurabilityRequirement]
    {
        var meanings: [Entry: InodeID?] = [:]
        return parts.map { part in
            var old: InodeID?
            if case .name(let entry, let inode) = part.effect {
                old = meanings.updateValue(inode, forKey: entry) ?? durable[entry]
            }
            return isPromised(old, part) ? .whole : .nothing
        }
    }

    /// Adds what is needed, from the last part to the first.
    private func close(_ required: inout [DurabilityRequirement], _ parts: [PendingEffect]) {
        let requirements = Requirements(parts, rules, unitBytes: unitBytes)
        func requireNeeds(of index: Int, _ required: inout [DurabilityRequirement]) {
            for need in requirements[index] {
                switch need {
                case .part(let other): required[other] = .whole
                case .units(let other, let range):
                    guard parts[other].isWrite else {
                        required[other] = .whole
                        continue
                    }
                    var units = RangeSet(range)
                    if case .units(let own) = required[index] { units.formIntersection(own) }
                    required[other].add(units)
                }
            }
        }
        for index in parts.indices.reversed() {
            let joins = Requirements.joinsNext(index, of: parts)
            if joins, required[index + 1] != .nothing { required[index] = .whole }
            guard required[index] != .nothing else { continue }
            if joins, required[index + 1] == .nothing {
                required[index + 1] = .whole
                requireNeeds(of: index + 1, &required)
            }
            requireNeeds(of: index, &required)
        }
    }

    private mutating func commit(_ part: PendingEffect, _ requirement: DurabilityRequirement) {
        switch requirement {
        case .nothing: break
        case .whole:
            if case .name(let entry, let inode) = part.effect { commitName(entry, inode) } else { apply(part) }
        case .units(let units):
            durable.apply(part.effect, within: units.intersection(part.pendingBytes))
            supersedeFailedFsync(part, units.intersection(part.pendingBytes))
        }
    }

    /// Takes every part out, but those that no barrier speaks of.
    private mutating func empty() {
        ordered = EffectQueue()
        effectCount = 0
        strayCount = 0
        for inode in inodes.inodes {
            guard let at = inodes.place(of: inode) else { continue }
            inodes[at: at].orderedCount = 0
            if !inodes[at: at].data.isEmpty { inodes[at: at].data = EffectQueue() }
            if !inodes[at: at].others.isEmpty { inodes[at: at].others = EffectQueue() }
            effectCount += inodes[at: at].failedFsync.count
        }
    }

    /// The parts that stay pending, without what those that became durable override.
    private func leftOver(_ parts: [PendingEffect], _ required: [DurabilityRequirement]) -> [PendingEffect] {
        var left: [PendingEffect] = []
        var places: [InodeID: [Int]] = [:]
        for (part, requirement) in zip(parts, required) {
            let inode = part.effect.inode
            if requirement != .nothing {
                for index in places[inode] ?? [] {
                    left[index].supersede(to: part, within: requirement.units(of: part))
                }
            }
            guard requirement != .whole else { continue }
            if part.effect.dataRange != nil || part.isGrowth { places[inode, default: []].append(left.count) }
            left.append(part)
            for range in requirement.units(of: part).ranges { left[left.count - 1].gone.insert(contentsOf: range) }
        }
        return left.filter { !$0.isSpent }
    }

    /// Puts parts back that stay pending; those of inodes that are gone for good go too.
    private mutating func enter(_ parts: [PendingEffect]) {
        var left = parts
        while true {
            let gone = left.filter { !inodes.contains($0.effect.inode) }
            guard !gone.isEmpty else { break }
            left.removeAll { !inodes.contains($0.effect.inode) }
            for case .name(let entry, let child?) in gone.map(\.effect) {
                names[entry] = nil
                dropName(of: child)
            }
        }
        for part in left { register(part) }
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

    fileprivate func units(of part: PendingEffect) -> RangeSet<UInt64> {
        switch self {
        case .nothing: RangeSet()
        case .whole: part.remainingBytes
        case .units(let units): units.intersection(part.remainingBytes)
        }
    }
}

extension PendingEffect {
    /// As `supersede(to:)`, where of the later part only some bytes became durable.
    fileprivate mutating func supersede(to later: PendingEffect, within bytes: RangeSet<UInt64>) {
        guard case .some = later.effect.dataRange, let own = effect.dataRange, effect.inode == later.effect.inode else {
            return supersede(to: later)
        }
        for range in bytes.intersection(RangeSet(own)).ranges { gone.insert(contentsOf: range) }
    }
}
