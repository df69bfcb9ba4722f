/// Making durable in general, where what a barrier promises is not simply what came first: operations were in flight
/// when it began.
extension PendingSet {
    /// Makes durable what is promised and everything that it needs, whatever hangs together with what. `isPromised` is
    /// given each part, and for a name what the name meant before. The cost is in proportion to all that is pending.
    mutating func makeDurable(_ isPromised: (InodeID?, Part) -> Bool) {
        let parts = pendingParts(withDoubtful: false)
        var promises = seeds(parts, isPromised)
        guard promises.contains(where: { $0 != .nothing }) else { return }
        close(&promises, parts)
        empty()
        for (part, promise) in zip(parts, promises) { settle(part, promise) }
        enter(leftOver(parts, promises))
    }

    /// The same for the data of one inode, or its attributes, where these need nothing else that is pending.
    mutating func makeDurable(
        _ queue: WritableKeyPath<InodeState, PartQueue>, of inode: InodeID, _ isPromised: (Part) -> Bool
    ) {
        guard let at = inodes.place(of: inode) else { return }
        let parts = Array(inodes[at: at][keyPath: queue])
        var promises = parts.map { isPromised($0) ? Promise.whole : .nothing }
        guard promises.contains(.whole) else { return }
        close(&promises, parts)
        for (part, promise) in zip(parts, promises) { settle(part, promise) }
        let left = leftOver(parts, promises)
        inodes[at: at][keyPath: queue] = PartQueue(left)
        partCount -= parts.count - left.count
    }

    fileprivate enum Promise: Equatable {
        case nothing
        case whole
        case units(RangeSet<UInt64>)
    }

    private func seeds(_ parts: [Part], _ isPromised: (InodeID?, Part) -> Bool) -> [Promise] {
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
    private func close(_ promises: inout [Promise], _ parts: [Part]) {
        let requirements = Requirements(parts, rules, unitBytes: unitBytes)
        func promiseNeeds(of index: Int, _ promises: inout [Promise]) {
            for need in requirements[index] {
                switch need {
                case .part(let other): promises[other] = .whole
                case .units(let other, let range):
                    guard parts[other].isWrite else {
                        promises[other] = .whole
                        continue
                    }
                    var units = RangeSet(range)
                    if case .units(let own) = promises[index] { units.formIntersection(own) }
                    promises[other].add(units)
                }
            }
        }
        for index in parts.indices.reversed() {
            let joins = parts[index].bond == .joinsNext && index + 1 < parts.count
            if joins, promises[index + 1] != .nothing { promises[index] = .whole }
            guard promises[index] != .nothing else { continue }
            if joins, promises[index + 1] == .nothing {
                promises[index + 1] = .whole
                promiseNeeds(of: index + 1, &promises)
            }
            promiseNeeds(of: index, &promises)
        }
    }

    private mutating func settle(_ part: Part, _ promise: Promise) {
        switch promise {
        case .nothing: break
        case .whole:
            if case .name(let entry, let inode) = part.effect { retireName(entry, inode) } else { apply(part) }
        case .units(let units):
            durable.apply(part.effect, within: units.intersection(part.pendingBytes))
            overrideDoubtful(part, units.intersection(part.pendingBytes))
        }
    }

    /// Takes every part out, but those that no barrier speaks of.
    private mutating func empty() {
        ordered = PartQueue()
        partCount = 0
        strayCount = 0
        for inode in inodes.inodes {
            guard let at = inodes.place(of: inode) else { continue }
            inodes[at: at].orderedCount = 0
            if !inodes[at: at].data.isEmpty { inodes[at: at].data = PartQueue() }
            if !inodes[at: at].others.isEmpty { inodes[at: at].others = PartQueue() }
            partCount += inodes[at: at].doubtful.count
        }
    }

    /// The parts that stay pending, without what those that became durable override.
    private func leftOver(_ parts: [Part], _ promises: [Promise]) -> [Part] {
        var left: [Part] = []
        var places: [InodeID: [Int]] = [:]
        for (part, promise) in zip(parts, promises) {
            let inode = part.effect.inode
            if promise != .nothing {
                for index in places[inode] ?? [] { left[index].giveWay(to: part, within: promise.units(of: part)) }
            }
            guard promise != .whole else { continue }
            if part.effect.dataRange != nil || part.isGrowth { places[inode, default: []].append(left.count) }
            left.append(part)
            for range in promise.units(of: part).ranges { left[left.count - 1].gone.insert(contentsOf: range) }
        }
        return left.filter { !$0.isSpent }
    }

    /// Puts parts back that stay pending; those of inodes that are gone for good go too.
    private mutating func enter(_ parts: [Part]) {
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

extension PendingSet.Promise {
    fileprivate mutating func add(_ units: RangeSet<UInt64>) {
        switch self {
        case .whole: break
        case .nothing: if !units.isEmpty { self = .units(units) }
        case .units(let own): self = .units(own.union(units))
        }
    }

    fileprivate func units(of part: Part) -> RangeSet<UInt64> {
        switch self {
        case .nothing: RangeSet()
        case .whole: part.remainingBytes
        case .units(let units): units.intersection(part.remainingBytes)
        }
    }
}

extension Part {
    /// As `giveWay(to:)`, where of the later part only some bytes became durable.
    fileprivate mutating func giveWay(to later: Part, within bytes: RangeSet<UInt64>) {
        guard case .some = later.effect.dataRange, let own = effect.dataRange, effect.inode == later.effect.inode else {
            return giveWay(to: later)
        }
        for range in bytes.intersection(RangeSet(own)).ranges { gone.insert(contentsOf: range) }
    }
}
