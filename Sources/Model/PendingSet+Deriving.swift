extension PendingSet {
    /// The largest legal choice within what `choice` asks for.
    public func survivors(_ choice: Choice) -> Survivors {
        switch choice {
        case .everything: close { _ in .kept }
        case .nothing: close { _ in .lost }
        case .seeded(let seed): seeded(RandomStream(seed: seed))
        case .losing(let lost): close(lost.wanted())
        }
    }

    /// The tree that a crash with this choice leaves.
    public func tree(_ survivors: Survivors) -> Tree {
        var tree = durable
        for (part, fate) in zip(livePartsInOrder(), survivors.fates) {
            switch (fate, part.effect) {
            case (.lost, _): break
            case (.kept, .write) where !part.gone.isEmpty: tree.apply(part.effect, within: part.pendingBytes)
            case (.kept, let effect): tree.apply(effect)
            case (.data(let bytes), let effect): tree.apply(effect, within: bytes)
            case (.size(let size), .grow(let inode, let from, _)): tree.apply(.grow(inode, from: from, to: size))
            case (.size, _): preconditionFailure("only growth has sizes")
            }
        }
        return tree
    }

    /// What a crash with this choice loses.
    public func lost(_ survivors: Survivors) -> LostAtoms {
        var items: [LostAtoms.Item] = []
        for (part, fate) in zip(livePartsInOrder(), survivors.fates) {
            let extent: LostAtoms.Extent
            switch fate {
            case .kept: continue
            case .lost: extent = .whole
            case .data(let kept): extent = .bytes(Array(part.pendingBytes.subtracting(kept).ranges))
            case .size(let size): extent = .sizeAbove(size)
            }
            items.append(LostAtoms.Item(operation: part.operation, part: part.index, extent: extent))
        }
        return LostAtoms(items)
    }

    /// Every legal choice, each once, as long as `body` returns true. Data is torn at units, sizes at pages; a set with
    /// n free units has 2ⁿ choices, so ask only of small sets.
    ///
    /// Returns false when `body` stopped the walk.
    @discardableResult
    public func forEachSurvivors(_ body: (Survivors) -> Bool) -> Bool {
        let parts = livePartsInOrder()
        return enumerate(parts[...], Closing(self), Survivors(fates: []), body)
    }

    func livePartsInOrder() -> [Part] { deadCount == 0 ? parts : parts.filter(\.isLive) }

    /// The largest legal choice within what is wanted of each part.
    func close(_ wanted: (Part) -> Fate) -> Survivors {
        var closing = Closing(self)
        var fates: [Fate] = []
        let parts = livePartsInOrder()
        fates.reserveCapacity(parts.count)
        var index = 0
        while index < parts.count {
            let part = parts[index]
            if part.bond == .joinsNext, index + 1 < parts.count {
                let next = parts[index + 1]
                let both =
                    wanted(part) == .kept && wanted(next) == .kept && closing.allows(part) && closing.allows(next)
                fates.append(closing.settle(part, both ? .kept : .lost))
                fates.append(closing.settle(next, both ? .kept : .lost))
                index += 2
                continue
            }
            var fate = wanted(part)
            if rules.order == .total, index + 1 < parts.count {
                fate = shortened(part, fate, wanted(parts[index + 1]), parts[index + 1])
            }
            fates.append(closing.settle(part, fate))
            index += 1
        }
        return Survivors(fates: fates)
    }

    /// Under one order for everything a write and its growth are cut short together: data beyond the size that is
    /// wanted is not wanted.
    private func shortened(_ part: Part, _ fate: Fate, _ nextFate: Fate, _ next: Part) -> Fate {
        guard case .grow(_, let from, let to) = next.effect, next.operation == part.operation, fate == .kept,
            let range = part.effect.dataRange
        else { return fate }
        let size: UInt64
        switch nextFate {
        case .kept: return fate
        case .size(let reached): size = min(reached, to)
        case .lost, .data: size = from
        }
        return .data(
            RangeSet(range.lowerBound..<max(range.lowerBound, min(range.upperBound, size / pageBytes * pageBytes))))
    }

    private func enumerate(
        _ parts: ArraySlice<Part>, _ closing: Closing, _ chosen: Survivors, _ body: (Survivors) -> Bool
    ) -> Bool {
        guard let part = parts.first else { return body(chosen) }
        if part.bond == .joinsNext, let next = parts.dropFirst().first {
            let isAllowed = closing.allows(part) && closing.allows(next)
            for fate in isAllowed ? [Fate.lost, .kept] : [.lost] {
                var closing = closing
                let fates = [closing.settle(part, fate), closing.settle(next, fate)]
                let longer = Survivors(fates: chosen.fates + fates)
                guard enumerate(parts.dropFirst(2), closing, longer, body) else { return false }
            }
            return true
        }
        for fate in options(part, closing) {
            var closing = closing
            let longer = Survivors(fates: chosen.fates + [closing.settle(part, fate)])
            guard enumerate(parts.dropFirst(), closing, longer, body) else { return false }
        }
        return true
    }

    /// The fates that a part may have after what was settled before it.
    private func options(_ part: Part, _ closing: Closing) -> [Fate] {
        switch part.effect {
        case .write: return rules.order == .total ? prefixes(of: part, closing) : unitSubsets(of: part, closing)
        case .grow(_, let from, let to):
            let limit = closing.allowedSize(part, wanted: to)
            // With one order for everything the growth goes as far as its data.
            if rules.order == .total { return growths(from: limit, upTo: limit, whole: to, from) }
            return growths(from: from, upTo: limit, whole: to, from)
        default: return closing.allows(part) ? [.lost, .kept] : [.lost]
        }
    }

    private func growths(from first: UInt64, upTo limit: UInt64, whole: UInt64, _ none: UInt64) -> [Fate] {
        var fates: [Fate] = first == none ? [.lost] : []
        var size = first == none ? (first / pageBytes + 1) * pageBytes : first
        while size <= limit, size < whole {
            fates.append(.size(size))
            size += pageBytes
        }
        if limit == whole { fates.append(.kept) }
        return fates
    }

    private func prefixes(of part: Part, _ closing: Closing) -> [Fate] {
        guard closing.allows(part), let range = part.effect.dataRange else { return [.lost] }
        var fates: [Fate] = [.lost]
        var end = (range.lowerBound / pageBytes + 1) * pageBytes
        while end < range.upperBound {
            fates.append(.data(RangeSet(range.lowerBound..<end)))
            end += pageBytes
        }
        return fates + [.kept]
    }

    private func unitSubsets(of part: Part, _ closing: Closing) -> [Fate] {
        var units: [Range<UInt64>] = []
        let pending = part.pendingBytes
        let allowed = closing.allowed(part)
        for range in pending.ranges {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(range.upperBound, (start / unitBytes + 1) * unitBytes)
                if RangeSet(start..<end).isSubset(of: allowed) { units.append(start..<end) }
                start = end
            }
        }
        precondition(units.count < 24, "a run of \(units.count) free units is too large to enumerate")
        return (0..<1 << units.count).map { mask in
            var kept = RangeSet<UInt64>()
            for (bit, unit) in units.enumerated() where mask >> bit & 1 == 1 { kept.insert(contentsOf: unit) }
            return kept == pending ? .kept : kept.isEmpty ? .lost : .data(kept)
        }
    }
}

extension LostAtoms {
    fileprivate func wanted() -> (PendingSet.Part) -> Fate {
        var byPart: [[UInt64]: Extent] = [:]
        for item in items { byPart[[item.operation.rawValue, UInt64(item.part)]] = item.extent }
        return { part in
            switch byPart[[part.operation.rawValue, UInt64(part.index)]] {
            case nil: .kept
            case .whole: .lost
            case .sizeAbove(let size): .size(size)
            case .bytes(let ranges):
                .data(ranges.reduce(into: part.pendingBytes) { $0.remove(contentsOf: $1) })
            }
        }
    }
}
