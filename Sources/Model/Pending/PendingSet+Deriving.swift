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
        for (part, fate) in zip(pendingEffects(), survivors.fates) {
            switch (fate, part.effect) {
            case (.lost, _): break
            case (.kept, _): PendingSet.apply(part, to: &tree)
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
        for (part, fate) in zip(pendingEffects(), survivors.fates) {
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

    /// Every legal choice, each once, as long as `body` returns true: first nothing, then one atom more or less at a
    /// time. Data is torn at units, sizes at pages; a set with n free units has 2ⁿ choices, so ask only of small sets.
    ///
    /// Returns false when `body` stopped the walk.
    @discardableResult
    public func forEachSurvivors(_ body: (Survivors) -> Bool) -> Bool {
        let graph = AtomGraph(self)
        var walk = IdealWalk(graph)
        guard body(graph.survivors(Array(walk.members)[...])) else { return false }
        while let step = walk.advance() {
            if case .added = step, !body(graph.survivors(Array(walk.members)[...])) { return false }
        }
        return true
    }

    /// The largest legal choice within what is wanted of each part.
    func close(_ wanted: (PendingEffect) -> Fate) -> Survivors {
        let parts = pendingEffects()
        var closure = SurvivorClosure(parts, self)
        while closure.fates.count < parts.count { closure.resolveNext(wanted) }
        return Survivors(fates: closure.fates)
    }
}

extension LostAtoms {
    fileprivate func wanted() -> (PendingEffect) -> Fate {
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
