import Model

extension NaiveModel {
    /// What an atom needs, itself included, and what survives together with it.
    ///
    /// - Parameter committing: what it takes along when a barrier makes it durable.
    func allNeeds(of index: Int, committing: Bool = false) -> UInt64 {
        var needs: UInt64 = 1 << UInt64(index)
        for other in atoms.indices where atoms[other].group == atoms[index].group { needs |= 1 << UInt64(other) }
        if !committing, logBegan == nil {
            let joined = atoms.indices.filter {
                atoms[index].joinsUnlessLogged == $0 || atoms[$0].joinsUnlessLogged == index
            }
            for other in joined { needs |= 1 << UInt64(other) }
        }
        for other in 0..<index where self.needs(index, other, committing) { needs |= 1 << UInt64(other) }
        return needs
    }

    /// Whether the atom survives only if that earlier one does.
    private func needs(_ index: Int, _ other: Int, _ committing: Bool) -> Bool {
        let (atom, earlier) = (atoms[index], atoms[other])
        if atom.previous == other { return true }
        if rules.order == .total {
            return !earlier.isUnsyncable
        }
        if earlier.isUnsyncable { return false }
        if rules.order == .metadata, earlier.isMetadata, !(rules.logsSlots && committing) {
            let isOrdered = atom.isMetadata || atom.isGrowth && rules.growthFollowsMetadata
            if isOrdered, !mayBeLogged(index, without: other) { return true }
        }
        if atom.movesDirectory, earlier.movesDirectory { return true }
        switch (atom.things[0], earlier.things[0]) {
        case (.data, .data), (.data, .zero), (.zero, .zero): return needsUnit(index, other)
        case (.size(let one, _), .size(let two, _)) where one == two:
            if atom.isGrowth { return !isSizeOverridden(other, before: index) }
            return !earlier.isGrowth
        case (.name(let one, _), .name(let two, _)): return one == two
        case (.attributes(let one, _), .attributes(let two, _)): return one == two
        case (.extendedAttribute(let one, let name, _), .extendedAttribute(let two, let other, _)):
            return one == two && name == other
        default: return false
        }
    }

    /// Whether the log may hold an atom and not that earlier one.
    private func mayBeLogged(_ index: Int, without other: Int) -> Bool {
        guard let began = logBegan else { return false }
        let (atom, earlier) = (atoms[index], atoms[other])
        switch atom.things[0] {
        case .attributes, .extendedAttribute: return true
        case .data, .zero, .size: return (loggedAt[atom.inode] ?? 0) > index
        case .name(let entry, let new):
            guard !atom.isReturn, case .name(let otherEntry, _) = earlier.things[0] else { return true }
            let isBeforeLog = otherEntry.directory == entry.directory && other < began
            guard isBeforeLog || earlier.oldDirectory == entry.directory else { return true }
            // Whatever may have logged the later name since the last commit.
            let logged = [new, atom.old, entry.directory, atom.oldDirectory].compactMap { $0.flatMap { loggedAt[$0] } }
            return logged.contains { $0 > 0 && $0 >= earlier.carriedUpTo }
        }
    }

    /// Versions of a unit are cumulative; a zero version of the whole unit begins anew.
    private func needsUnit(_ index: Int, _ other: Int) -> Bool {
        guard let cells = cells(atoms[index]), let earlier = dataCells(of: other),
            atoms[index].inode == atoms[other].inode
        else { return false }
        var shared = Set(units(cells)).intersection(units(earlier))
        if case .zero = atoms[index].things[0] {
            guard case .zero = atoms[other].things[0] else { return false }
            shared = shared.filter { !covers(cells, $0) }
        }
        return shared.contains { unit in !isRenewed(unit, of: atoms[index].inode, other, index) }
    }

    private func isRenewed(_ unit: Int, of inode: InodeID, _ other: Int, _ index: Int) -> Bool {
        atoms[other + 1..<max(index, other + 1)].contains { between in
            if case .zero(inode, let cells) = between.things[0] { covers(cells, unit) } else { false }
        }
    }

    private func isSizeOverridden(_ other: Int, before index: Int) -> Bool {
        atoms[other + 1..<index].contains { between in
            if case .size(atoms[other].inode, _) = between.things[0] { !between.isGrowth } else { false }
        }
    }

    private func dataCells(of index: Int) -> ClosedRange<Int>? { cells(atoms[index]) }

    private func cells(_ atom: Atom) -> ClosedRange<Int>? {
        switch atom.things[0] {
        case .data(_, let cells, _), .zero(_, let cells): cells
        default: nil
        }
    }

    private func units(_ cells: ClosedRange<Int>) -> ClosedRange<Int> {
        cells.lowerBound / cellsOfUnit...cells.upperBound / cellsOfUnit
    }

    private func covers(_ cells: ClosedRange<Int>, _ unit: Int) -> Bool {
        cells.lowerBound <= unit * cellsOfUnit && cells.upperBound >= (unit + 1) * cellsOfUnit - 1
    }

    /// The trees of all legal sets of atoms; nil when there are too many to try.
    func outcomes() -> Set<String>? {
        let optional = atoms.indices.filter { !has(mandatory, $0) }
        guard atoms.count < 64, optional.count <= 10 else { return nil }
        let needs = atoms.indices.map { allNeeds(of: $0) }
        var seen: Set<String> = []
        for bits in 0..<UInt64(1) << UInt64(optional.count) {
            var set = mandatory
            for (place, index) in optional.enumerated() where has(bits, place) { set |= 1 << UInt64(index) }
            let isLegal = atoms.indices.allSatisfy { index in
                // What a log made durable lacks what came before it.
                !has(set, index) || rules.logsSlots && has(mandatory, index) || needs[index] & ~set == 0
            }
            guard isLegal else { continue }
            var state = NaiveState(born: volatile)
            for index in atoms.indices where has(set, index) {
                for thing in atoms[index].things { state.apply(thing) }
            }
            seen.insert(state.description)
        }
        return seen
    }
}
