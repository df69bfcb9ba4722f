extension PendingSet {
    /// The largest legal choice within the one that `choice` asks for.
    public func survivors(_ choice: Choice) -> Survivors {
        switch choice {
        case .everything: close { _ in .kept }
        case .nothing: close { _ in .lost }
        case .seeded(let seed): seeded(RandomStream(seed: seed))
        case .losing(let lost): close(lost.wanted())
        }
    }

    /// The tree after a crash with these survivors.
    public func tree(_ survivors: Survivors) -> Tree {
        var tree = durable
        for (pending, fate) in zip(pendingEffects(), survivors.fates) {
            switch (fate, pending.effect) {
            case (.lost, _): break
            case (.kept, _): PendingSet.apply(pending, to: &tree)
            case (.data(let bytes), let effect): tree.apply(effect, within: bytes)
            case (.size(let size), .grow(let inode, let from, _)): tree.apply(.grow(inode, from: from, to: size))
            case (.size, _): preconditionFailure("only growth has sizes")
            }
        }
        return tree
    }

    /// The atoms that a crash with these survivors loses.
    public func lost(_ survivors: Survivors) -> LostAtoms {
        var items: [LostAtoms.Item] = []
        for (pending, fate) in zip(pendingEffects(), survivors.fates) {
            let extent: LostAtoms.Extent
            switch fate {
            case .kept: continue
            case .lost: extent = .whole
            case .data(let kept): extent = .bytes(Array(pending.pendingBytes.subtracting(kept).ranges))
            case .size(let size): extent = .sizeAbove(size)
            }
            items.append(LostAtoms.Item(operation: pending.operation, part: pending.index, extent: extent))
        }
        return LostAtoms(items)
    }

    /// Calls `body` with every legal choice, each once, while it returns true. The first choice keeps nothing; each step
    /// adds or removes one atom. Data is torn at units, sizes at pages. A set with n independent units has 2ⁿ choices: only
    /// for small sets.
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

    /// The largest legal choice within the wanted fate of each effect.
    func close(_ wanted: (PendingEffect) -> Fate) -> Survivors {
        let effects = pendingEffects()
        var closure = SurvivorClosure(effects, self)
        while closure.fates.count < effects.count { closure.resolveNext(wanted) }
        return Survivors(fates: closure.fates)
    }
}

extension LostAtoms {
    fileprivate func wanted() -> (PendingEffect) -> Fate {
        var byPart: [[UInt64]: Extent] = [:]
        for item in items { byPart[[item.operation.rawValue, UInt64(item.part)]] = item.extent }
        return { pending in
            switch byPart[[pending.operation.rawValue, UInt64(pending.index)]] {
            case nil: .kept
            case .whole: .lost
            case .sizeAbove(let size): .size(size)
            case .bytes(let ranges):
                .data(ranges.reduce(into: pending.pendingBytes) { $0.remove(contentsOf: $1) })
            }
        }
    }
}
